import { styleText } from 'node:util';

import { printable } from '../image/printable.ts';

/** How headings look: bold where colours are, plain elsewhere. */
export type Emphasis = (text: string) => string;

export function emphasisFor(colours: boolean): Emphasis {
  // The caller looked at the stream; `styleText` would look at that of the process.
  return colours ? (text) => styleText('bold', text, { validateStream: false }) : (text) => text;
}

/** A label and what belongs to it; without a value it is left out. */
export type Field = readonly [label: string, values: readonly string[]];

/** Fields with their values in one column, one below the other; values are made printable. */
export function fieldLines(fields: readonly Field[], emphasis: Emphasis): string[] {
  const shown = fields.filter(([, values]) => values.length > 0);
  const width = Math.max(0, ...shown.map(([label]) => label.length)) + 2;
  return shown.flatMap(([label, values]) =>
    values.map((value, index) => {
      const head = index === 0 ? `${emphasis(`${label}:`)}${' '.repeat(width - label.length)}` : '';
      return `${head || ' '.repeat(width + 1)}${printable(value)}`;
    }),
  );
}

/** A column: what stands above it, and whether numbers stand in it. */
export interface Column {
  readonly title: string;
  readonly isNumber?: boolean;
}

/** Rows below their titles, printable, each column as wide as it must be. */
export function tableLines(
  columns: readonly Column[],
  rows: readonly (readonly string[])[],
  emphasis: Emphasis,
): string[] {
  const titles = columns.map(({ title }) => title);
  const cells = [titles, ...rows.map((row) => row.map(printable))];
  const widths = columns.map((_, at) => Math.max(...cells.map((row) => row[at]?.length ?? 0)));
  const written = cells.map((row) =>
    row
      .map((cell, at) => {
        const width = widths[at] ?? 0;
        return columns[at]?.isNumber === true ? cell.padStart(width) : cell.padEnd(width);
      })
      .join('  ')
      .trimEnd(),
  );
  return written.map((line, index) => (index === 0 ? emphasis(line) : line));
}

export function indented(lines: readonly string[]): string[] {
  return lines.map((line) => (line === '' ? '' : `  ${line}`));
}
