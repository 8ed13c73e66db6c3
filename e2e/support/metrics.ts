/** The sum of the series of one metric, in the Prometheus text format, that have these labels. */
export function sumSeries(
  exposition: string,
  name: string,
  labels: Readonly<Record<string, string>> = {},
): number {
  const wanted = Object.entries(labels).map(([label, value]) => `${label}="${value}"`);
  return exposition
    .split('\n')
    .filter((line) => line.startsWith(`${name}{`) || line.startsWith(`${name} `))
    .filter((line) => wanted.every((label) => has(line, label)))
    .reduce((sum, line) => sum + Number(line.slice(line.lastIndexOf(' ') + 1)), 0);
}

function has(line: string, label: string): boolean {
  return line.includes(`{${label}`) || line.includes(`,${label}`);
}
