import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

import { describe, expect, it } from '@jest/globals';

import { type AllFigures, lineOf } from '../../e2e/simulation/figures.ts';
import { plotsOf, tablesOf, withTables } from '../../e2e/simulation/page.ts';
import { simulate } from '../../e2e/simulation/simulation.ts';
import { allRuns } from '../../e2e/simulation/sweeps.ts';

const DOCS = join(import.meta.dirname, '..', '..', 'docs');
const PAGE = readFileSync(join(DOCS, 'scaling.md'), 'utf8');

function read(name: string): string {
  return readFileSync(join(DOCS, 'scaling', name), 'utf8');
}

const FIGURES = JSON.parse(read('figures.json')) as AllFigures;

describe('docs/scaling.md', () => {
  it('has the tables of the figures that "npm run simulate" wrote', () => {
    expect(withTables(PAGE, tablesOf(FIGURES))).toBe(PAGE);
  });

  it('shows every plot, and each is drawn from these figures', () => {
    const plots = plotsOf(FIGURES);
    const shown = [...PAGE.matchAll(/\]\(scaling\/([^)]+\.svg)\)/g)].map(([, name]) => name);
    expect(new Set(shown)).toEqual(new Set(plots.keys()));
    expect(new Set(readdirSync(join(DOCS, 'scaling')))).toEqual(
      new Set(['figures.json', ...plots.keys()]),
    );
    for (const [name, svg] of plots) expect(read(name)).toBe(svg);
  });

  it('has a figure for every run', () => {
    const missing = allRuns().filter(
      ({ sweep, series, value }) =>
        !lineOf(FIGURES, sweep, series).some((one) => one.value === value),
    );
    expect(missing).toEqual([]);
    expect(FIGURES.results).toHaveLength(allRuns().length);
  });

  // The cheapest runs of two sweeps: the rest is the same program with other numbers.
  it.each([
    ['nodes', 'Pods only', 50],
    ['pods', 'Pods only, shared cache', 100],
  ])('has what the simulation finds today: %s, %s, %i', async (sweep, series, value) => {
    const run = allRuns().find(
      (one) => one.sweep === sweep && one.series === series && one.value === value,
    );
    const kept = lineOf(FIGURES, sweep, series).find((one) => one.value === value);
    if (run === undefined) throw new Error('There is no such run');
    expect(await simulate(run.scenario)).toEqual(kept?.figures);
  });
});
