/** Applies a unified diff of one file, as `patch` does; throws where its context does not fit. */
export function applyDiff(text: string, diff: string): string {
  const old = linesOf(text);
  const result: string[] = [];
  let at = 0;
  for (const hunk of diff.split(/^(?=@@ )/m).slice(1)) {
    const [header = '', ...rest] = linesOf(hunk);
    const [, from = '', oldCount, to, newCount] =
      /^@@ -(\d+),(\d+) \+(\d+),(\d+) @@/.exec(header) ?? [];
    const start = Number(from) - 1;
    result.push(...old.slice(at, start));
    if (result.length !== Number(to) - 1) throw new Error(`${header} begins elsewhere`);
    at = start;
    const body = markedLines(rest);
    for (const [mark, line] of body) {
      if (mark !== '+' && old[at++] !== line) throw new Error(`${line} is not there`);
      if (mark !== '-') result.push(line);
    }
    const counts = ['+', '-'].map((mark) => body.filter(([other]) => other !== mark).length);
    if (counts.join() !== `${oldCount},${newCount}`) throw new Error(`${header} counts otherwise`);
  }
  return [...result, ...old.slice(at)].join('');
}

function markedLines(lines: readonly string[]): (readonly [string, string])[] {
  return lines.flatMap((line, index) => {
    if (line.startsWith('\\')) return [];
    const isOpen = lines[index + 1]?.startsWith('\\') === true;
    return [[line.slice(0, 1), isOpen ? line.slice(1, -1) : line.slice(1)] as const];
  });
}

function linesOf(text: string): string[] {
  return text.match(/[^\n]*\n|[^\n]+$/g) ?? [];
}
