import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

import { runAll } from './crew.ts';
import type { AllFigures } from './figures.ts';
import { measureMemory } from './memory.ts';
import { plotsOf, tablesOf, withTables } from './page.ts';
import { allRuns } from './sweeps.ts';

const DOCS = join(import.meta.dirname, '..', '..', 'docs');
const FOLDER = join(DOCS, 'scaling');
const PAGE = join(DOCS, 'scaling.md');
const FIGURES = join(FOLDER, 'figures.json');

/**
 * Simulates tagpin in clusters that no test machine has, and writes what came of it into
 * docs/scaling.md, its plots and its figures. `--draw` only draws the figures that are there.
 */
async function main(): Promise<void> {
  mkdirSync(FOLDER, { recursive: true });
  if (!process.argv.includes('--draw')) writeFileSync(FIGURES, figuresText(await find()));
  const figures = JSON.parse(readFileSync(FIGURES, 'utf8')) as AllFigures;
  for (const [name, svg] of plotsOf(figures)) writeFileSync(join(FOLDER, name), svg);
  writeFileSync(PAGE, withTables(readFileSync(PAGE, 'utf8'), tablesOf(figures)));
}

async function find(): Promise<AllFigures> {
  const started = performance.now();
  const memory = await measureMemory();
  const runs = allRuns();
  const results = await runAll(runs, ({ sweep, series, value, figures }) => {
    process.stderr.write(`${sweep} ${value}, ${series}: ${figures.manifests} manifests an hour\n`);
  });
  const seconds = ((performance.now() - started) / 1000).toFixed(0);
  process.stdout.write(`${runs.length} runs in ${seconds} s; docs/scaling.md has their figures\n`);
  return { results, memory };
}

/** One line a result, so that a change shows as one. */
function figuresText({ results, memory }: AllFigures): string {
  const lines = results
    .toSorted((one, other) => keyOf(one).localeCompare(keyOf(other), 'en'))
    .map((one) => JSON.stringify(one));
  return `{"memory": ${JSON.stringify(memory)},\n"results": [\n${lines.join(',\n')}\n]}\n`;
}

function keyOf({ sweep, series, value }: AllFigures['results'][number]): string {
  return `${sweep} ${series} ${String(value).padStart(8, '0')}`;
}

await main();
