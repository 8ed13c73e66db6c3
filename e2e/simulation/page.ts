import type { Result } from './crew.ts';
import { type AllFigures, lineOf } from './figures.ts';
import { drawPlot, type Line } from './plot.ts';
import type { Figures } from './simulation.ts';
import { BASE, SWEEPS, type Sweep } from './sweeps.ts';

/** Docker Hub's allowance of pulls in an hour, where it is 100 or 200 in six hours. */
const HUB_LEVELS = [
  { name: '100 in 6 h', y: 100 / 6 },
  { name: '200 in 6 h', y: 200 / 6 },
];

/** Sweeps whose requests to Docker Hub are drawn. */
const DRAWN = ['replicas', 'tags', 'pods', 'ttl', 'pinned', 'own-jobs'];
/** Each twice as much as the one before, or more: drawn by their logarithm. */
const LOG_AXES = new Set(['replicas', 'tags', 'pods', 'ttl']);

/** The plots, by file name. */
export function plotsOf(figures: AllFigures): ReadonlyMap<string, string> {
  const plots = SWEEPS.filter(({ name }) => DRAWN.includes(name)).map(
    (sweep) => [`${sweep.name}.svg`, hubPlot(figures, sweep)] as const,
  );
  return new Map([...plots, ['hits.svg', hitsPlot(figures)]]);
}

function linesOf(figures: AllFigures, sweep: Sweep, valueOf: (of: Figures) => number): Line[] {
  return sweep.series.map(({ name, look }) => ({
    name,
    look,
    points: lineOf(figures, sweep.name, name).map((one) => [one.value, valueOf(one.figures)]),
  }));
}

function hubPlot(figures: AllFigures, sweep: Sweep): string {
  return drawPlot({
    title: `Manifests asked of Docker Hub, by ${sweep.label}`,
    xLabel: sweep.label,
    yLabel: 'HEAD requests an hour',
    xScale: LOG_AXES.has(sweep.name) ? 'log' : 'linear',
    // Of Pods there are forty times as many at one end as at the other.
    yScale: sweep.name === 'pods' ? 'log' : 'linear',
    xTick: (value) => shownValue(sweep, value),
    yTick: shown,
    lines: linesOf(figures, sweep, ({ hubManifests }) => hubManifests),
    levels: HUB_LEVELS,
  });
}

function hitsPlot(figures: AllFigures): string {
  const sweep = sweepOf('replicas');
  return drawPlot({
    title: 'Look-ups that no registry was asked for, by replicas of tagpin',
    xLabel: sweep.label,
    yLabel: 'share of the look-ups',
    xScale: 'log',
    yScale: 'linear',
    xTick: shown,
    yTick: percent,
    lines: linesOf(figures, sweep, savedShare),
    levels: [],
  });
}

/** Digests from another replica are no hits of the process's own cache, and cost no request either. */
function savedShare({ lookUps, manifests }: Figures): number {
  return lookUps === 0 ? 1 : Math.max(0, Math.round((1 - manifests / lookUps) * 1000) / 1000);
}

/** The tables of docs/scaling.md, by the name in their marks. */
export function tablesOf(figures: AllFigures): ReadonlyMap<string, string> {
  const sweeps = SWEEPS.map((sweep) => [sweep.name, sweepTable(figures, sweep)] as const);
  return new Map([
    ...sweeps,
    ['outcomes', outcomesTable(figures)],
    ['memory', memoryTable(figures)],
  ]);
}

/** By the outcomes of metrics: what became of the images in the base. */
function outcomesTable(figures: AllFigures): string {
  const sweep = sweepOf('replicas');
  const ofBase = sweep.series
    .filter(({ changes }) => changes.sharedCache !== true)
    .flatMap(({ name }) => lineOf(figures, sweep.name, name))
    .filter(({ value }) => value === BASE.replicas);
  const outcomes = [...new Set(ofBase.flatMap((one) => Object.keys(one.figures.images)))];
  const rows = ofBase.map((one) => [
    one.series,
    ...outcomes.map((outcome) => shown(one.figures.images[outcome] ?? 0)),
  ]);
  return table(['set-up', ...outcomes.map((outcome) => `\`${outcome}\``)], rows);
}

const COLUMNS: readonly (readonly [string, (of: Figures) => string])[] = [
  ['reviews', ({ reviews }) => shown(reviews)],
  ['look-ups', ({ lookUps }) => shown(lookUps)],
  ['answered without a registry', (of) => percent(savedShare(of))],
  ['manifests asked', ({ manifests }) => shown(manifests)],
  ['of Docker Hub', ({ hubManifests }) => shown(hubManifests)],
  ['requests with tokens', ({ requests }) => shown(requests)],
  ['lists of Pods', ({ lists }) => shown(lists)],
  ['entries', ({ entries }) => shown(entries)],
];

function sweepTable(figures: AllFigures, sweep: Sweep): string {
  const rows = sweep.series.flatMap(({ name }) =>
    lineOf(figures, sweep.name, name).map((one) => rowOf(sweep, one)),
  );
  const heads = ['set-up', sweep.label, ...COLUMNS.map(([head]) => head)];
  return table(heads, rows);
}

function rowOf(sweep: Sweep, { series, value, figures }: Result): string[] {
  return [series, shownValue(sweep, value), ...COLUMNS.map(([, cell]) => cell(figures))];
}

function memoryTable({ memory }: AllFigures): string {
  const rows = memory.map(({ tags, heapMB }) => [
    shown(tags),
    heapMB.toFixed(1),
    ((heapMB * 1000) / tags).toFixed(2),
  ]);
  return table(['tags looked up', 'MB of heap more', 'KB a tag'], rows);
}

function table(heads: readonly string[], rows: readonly (readonly string[])[]): string {
  return [rowLine(heads), `|${'---|'.repeat(heads.length)}`, ...rows.map(rowLine)].join('\n');
}

function rowLine(cells: readonly string[]): string {
  return `| ${cells.join(' | ')} |`;
}

/** Puts each table between its marks. Throws where a mark is missing. */
export function withTables(page: string, tables: ReadonlyMap<string, string>): string {
  let text = page;
  for (const [name, rows] of tables) {
    const [begin, end] = [`<!-- table ${name} -->\n`, '\n<!-- end -->'];
    const from = text.indexOf(begin);
    const to = text.indexOf(end, from);
    if (from < 0 || to < 0) throw new Error(`docs/scaling.md has no place for the table ${name}`);
    text = text.slice(0, from + begin.length) + rows + text.slice(to);
  }
  return text;
}

function sweepOf(name: string): Sweep {
  const sweep = SWEEPS.find((one) => one.name === name);
  if (sweep === undefined) throw new Error(`There is no sweep ${name}`);
  return sweep;
}

function shownValue({ unit }: Sweep, value: number): string {
  if (unit === 'share') return percent(value);
  return unit === 'duration' ? duration(value) : shown(value);
}

function duration(ms: number): string {
  const units = [
    ['h', 3_600_000],
    ['m', 60_000],
  ] as const;
  const [unit, unitMs] = units.find(([, one]) => ms >= one) ?? ['s', 1000];
  return `${ms / unitMs}${unit}`;
}

function percent(share: number): string {
  return `${Math.round(share * 100)} %`;
}

function shown(value: number): string {
  return value.toLocaleString('en');
}
