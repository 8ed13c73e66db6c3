import { medianOf, type PartResult, type Row, reaches } from './result.ts';

const HEAD = `| what | unit | min | median | max | goal | |
|---|---|--:|--:|--:|---|---|`;

/** A heading, what was measured, and a Markdown table. */
export function reportOf({ part, text, rows }: PartResult): string {
  return `## ${part}\n\n${text}\n\n${HEAD}\n${rows.map(lineOf).join('\n')}\n`;
}

/** A row as a sentence, for who looks for what was missed. */
export function sentenceOf(row: Row): string {
  return `${row.what}: ${shown(row, medianOf(row.values))} ${row.unit}, goal ${goalOf(row)}`;
}

function lineOf(row: Row): string {
  const { what, unit, values } = row;
  const figures = [Math.min(...values), medianOf(values), Math.max(...values)];
  const cells = [
    what,
    unit,
    ...figures.map((value) => shown(row, value)),
    goalOf(row),
    verdictOf(row),
  ];
  return `| ${cells.join(' | ')} |`;
}

function shown({ digits }: Row, value: number): string {
  return Number.isFinite(value) ? value.toFixed(digits) : '–';
}

function goalOf({ goal }: Row): string {
  if (goal === undefined) return '';
  return 'atMost' in goal ? `≤ ${goal.atMost}` : `≥ ${goal.atLeast}`;
}

function verdictOf(row: Row): string {
  const reached = reaches(row);
  if (reached === undefined) return '';
  return reached ? 'reached' : '**missed**';
}
