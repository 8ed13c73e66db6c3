import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

import { describe, expect, it } from '@jest/globals';

import { bytesOfAnEntry, requestsOfAHerd, warmCostOverCeiling } from './bench/guarded.ts';

const FILE = join(import.meta.dirname, 'bench', 'last.json');
/** Under `UPDATE_FIGURES=1` what is measured becomes the last. */
const UPDATES = process.env['UPDATE_FIGURES'] !== undefined;

interface Guard {
  readonly measure: () => Promise<number>;
  readonly unit: string;
  /** How many times the last figure is still no regression: machines differ, and so do minutes. */
  readonly margin: number;
  readonly digits: number;
}

const GUARDS: Readonly<Record<string, Guard>> = {
  'processor time of a warm review ÷ that of the ceiling': {
    measure: warmCostOverCeiling,
    unit: '×',
    margin: 1.6,
    digits: 2,
  },
  'requests for a herd of 500 reviews of 3 tags': {
    measure: requestsOfAHerd,
    unit: 'requests',
    margin: 1,
    digits: 0,
  },
  'heap of a known digest': {
    measure: bytesOfAnEntry,
    unit: 'bytes',
    margin: 1.5,
    digits: 0,
  },
};

/** Seconds on a quiet machine; others may want the processor too. */
const TIMEOUT_MS = 180_000;

type Figures = Readonly<Record<string, number>>;

function lastFigures(): Figures {
  return JSON.parse(readFileSync(FILE, 'utf8')) as Figures;
}

/** What is wrong with a figure; nothing where it is like the last, or better. */
function regression(name: string, figure: number): string | undefined {
  const { margin, unit, digits } = GUARDS[name] ?? { margin: 1, unit: '', digits: 2 };
  const last = lastFigures()[name];
  if (last === undefined) return `${FILE} has no figure for: ${name}; UPDATE_FIGURES=1 writes it`;
  if (figure <= last * margin) return undefined;
  return `${name}: ${figure.toFixed(digits)} ${unit}, and it was ${last} ${unit}; ${margin} times that may pass`;
}

function record(name: string, figure: number): void {
  const figures: Figures = { ...lastFigures(), [name]: Number(figure.toFixed(2)) };
  writeFileSync(FILE, `${JSON.stringify(figures, null, 2)}\n`);
}

describe('the benchmark holds what it held: e2e/bench/last.json', () => {
  it.each(Object.entries(GUARDS))(
    '%s',
    async (name, { measure, unit, digits }) => {
      const figure = await measure();
      process.stderr.write(`${name}: ${figure.toFixed(digits)} ${unit}\n`);
      expect(Number.isFinite(figure)).toBe(true);
      if (UPDATES) record(name, figure);
      expect(regression(name, figure)).toBeUndefined();
    },
    TIMEOUT_MS,
  );
});
