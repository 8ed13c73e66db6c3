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

/** The names of all metrics, and of the series that histograms and summaries have. */
export function metricNames(exposition: string): ReadonlySet<string> {
  const types = [...exposition.matchAll(/^# TYPE (\S+) (\w+)$/gm)];
  return new Set(
    types.flatMap(([, name = '', type]) =>
      type === 'histogram' || type === 'summary'
        ? [name, `${name}_bucket`, `${name}_sum`, `${name}_count`]
        : [name],
    ),
  );
}

/** The labels of a metric's series; none where there is no series. */
export function labelsOf(exposition: string, metric: string): ReadonlySet<string> {
  const series = exposition.split('\n').filter((line) => line.startsWith(`${metric}{`));
  return new Set(
    series.flatMap((line) => [...line.matchAll(/[{,](\w+)="/g)].map(([, label = '']) => label)),
  );
}
