/** One line of a plot. */
export interface Line {
  readonly name: string;
  /** The number of its style, below 5: the same for the same thing in all plots. */
  readonly look: number;
  readonly points: readonly (readonly [x: number, y: number])[];
}

/** What a plot shows. */
export interface Plot {
  readonly title: string;
  readonly xLabel: string;
  readonly yLabel: string;
  /** Steps of ten are equally far apart; a value of 0 stands at the bottom. */
  readonly xScale: 'linear' | 'log';
  readonly yScale: 'linear' | 'log';
  readonly xTick: (value: number) => string;
  readonly yTick: (value: number) => string;
  readonly lines: readonly Line[];
  /** Lines across, with their names. */
  readonly levels: readonly { readonly name: string; readonly y: number }[];
}

const WIDTH = 760;
const HEIGHT = 412;
const BOX = { left: 76, right: 740, top: 44, bottom: 276 } as const;
const LEGEND_TOP = 346;
const LEGEND_COLUMNS = 2;
const LEGEND_COLUMN = 330;

/** Of Okabe and Ito, so that nobody need tell red from green; each also has a mark and a dash of its own. */
const STYLES = [
  { color: '#0072b2', dash: '', mark: 'circle' },
  { color: '#0072b2', dash: '6 4', mark: 'ring' },
  { color: '#d55e00', dash: '', mark: 'square' },
  { color: '#d55e00', dash: '6 4', mark: 'frame' },
  { color: '#009e73', dash: '2 3', mark: 'circle' },
] as const;
type Style = (typeof STYLES)[number];

/** Ink on a light page and on a dark one; the colours of the lines are readable on both. */
const SHEET = `text{font:13px system-ui,sans-serif;fill:#24292f}.title{font-size:15px;font-weight:600}
.axis{stroke:#57606a}.grid{stroke:#57606a;stroke-opacity:.22}.level{stroke:#57606a;stroke-dasharray:1 4;stroke-width:2}
.paper{fill:#ffffff}
@media (prefers-color-scheme: dark){text{fill:#e6edf3}.axis,.level,.grid{stroke:#adb5bd}.paper{fill:#0d1117}}`;

/** Draws a plot; the same text for the same plot. */
export function drawPlot(plot: Plot): string {
  const xs = plot.lines.flatMap(({ points }) => points.map(([x]) => x));
  const ys = [
    ...plot.lines.flatMap(({ points }) => points.map(([, y]) => y)),
    ...plot.levels.map(({ y }) => y),
  ];
  const x = scaleOf(plot.xScale, xs, [BOX.left, BOX.right]);
  const y = scaleOf(plot.yScale, ys, [BOX.bottom, BOX.top]);
  const title = escaped(plot.title);
  return `${[
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${HEIGHT}" role="img" aria-label="${title}">`,
    `<style>${SHEET}</style>`,
    `<rect class="paper" width="${WIDTH}" height="${HEIGHT}"/>`,
    text([WIDTH / 2, 24], title, 'class="title" text-anchor="middle"'),
    ...yAxis(plot, y),
    ...xAxis(plot, x),
    ...plot.levels.flatMap((level) => drawLevel(level, y.at(level.y))),
    ...plot.lines.flatMap((line) => drawLine(line, { x, y })),
    ...plot.lines.flatMap(drawLegend),
    '</svg>',
  ].join('\n')}\n`;
}

interface Scale {
  readonly at: (value: number) => number;
  readonly ticks: readonly number[];
}

function scaleOf(
  kind: Plot['xScale'],
  values: readonly number[],
  [from, to]: readonly [number, number],
): Scale {
  const most = Math.max(...values);
  if (kind === 'linear') {
    const step = stepOf(most);
    const end = Math.ceil(most / step) * step;
    const count = Math.round(end / step) + 1;
    const ticks = Array.from({ length: count }, (_, n) => Number((n * step).toPrecision(6)));
    return { at: (value) => from + ((to - from) * value) / end, ticks };
  }
  const least = Math.min(...values.filter((value) => value > 0));
  const isAcross = from < to;
  // Upwards to whole powers of ten, where the grid is; across to the values, which are the ticks.
  const low = isAcross ? Math.log10(least) : Math.floor(Math.log10(least));
  const high = isAcross ? Math.log10(most) : Math.max(low + 1, Math.ceil(Math.log10(most)));
  const share = (value: number): number =>
    value <= 0 ? 0 : (Math.log10(value) - low) / (high - low);
  const ticks = Array.from({ length: Math.floor(high - low) + 1 }, (_, n) => 10 ** (low + n));
  return { at: (value) => from + (to - from) * share(value), ticks };
}

/** 1, 2 or 5 of a power of ten, so that there are at most six of them. */
function stepOf(most: number): number {
  const power = 10 ** Math.floor(Math.log10(most / 5));
  return power * ([1, 2, 5, 10].find((factor) => most / power / factor <= 5) ?? 10);
}

function yAxis({ yLabel, yTick }: Plot, scale: Scale): string[] {
  const middle = (BOX.top + BOX.bottom) / 2;
  return [
    ...scale.ticks.flatMap((tick) => {
      const at = round(scale.at(tick));
      return [
        `<line class="grid" x1="${BOX.left}" x2="${BOX.right}" y1="${at}" y2="${at}"/>`,
        text([BOX.left - 8, at + 4], yTick(tick), 'text-anchor="end"'),
      ];
    }),
    text(
      [18, middle],
      escaped(yLabel),
      `text-anchor="middle" transform="rotate(-90 18 ${middle})"`,
    ),
  ];
}

/** Where the values stand, not where tens do: there are few of them. */
function xAxis({ xLabel, xTick, lines }: Plot, scale: Scale): string[] {
  const values = new Set(lines.flatMap(({ points }) => points.map(([x]) => x)));
  return [
    `<line class="axis" x1="${BOX.left}" x2="${BOX.right}" y1="${BOX.bottom}" y2="${BOX.bottom}"/>`,
    ...[...values].map((value) =>
      text([round(scale.at(value)), BOX.bottom + 20], xTick(value), 'text-anchor="middle"'),
    ),
    text([(BOX.left + BOX.right) / 2, BOX.bottom + 42], escaped(xLabel), 'text-anchor="middle"'),
  ];
}

function drawLevel({ name }: Plot['levels'][number], at: number): string[] {
  return [
    `<line class="level" x1="${BOX.left}" x2="${BOX.right}" y1="${round(at)}" y2="${round(at)}"/>`,
    text([BOX.right - 4, round(at) - 5], escaped(name), 'text-anchor="end"'),
  ];
}

function drawLine(line: Line, { x, y }: { x: Scale; y: Scale }): string[] {
  const style = styleOf(line);
  const points = line.points.map(([a, b]) => [round(x.at(a)), round(y.at(b))] as const);
  const path = points.map((point) => point.join(',')).join(' ');
  return [
    `<polyline points="${path}" fill="none" stroke="${style.color}" stroke-width="2" stroke-dasharray="${style.dash}"/>`,
    ...points.map((point) => drawMark(point, style)),
  ];
}

function drawMark([x, y]: readonly [number, number], { color, mark }: Style): string {
  const fill = mark === 'ring' || mark === 'frame' ? 'none' : color;
  const paint = `fill="${fill}" stroke="${color}" stroke-width="2"`;
  return mark === 'circle' || mark === 'ring'
    ? `<circle cx="${x}" cy="${y}" r="4" ${paint}/>`
    : `<rect x="${x - 4}" y="${y - 4}" width="8" height="8" ${paint}/>`;
}

function drawLegend(line: Line, n: number): string[] {
  const style = styleOf(line);
  const x = BOX.left + (n % LEGEND_COLUMNS) * LEGEND_COLUMN;
  const y = LEGEND_TOP + Math.floor(n / LEGEND_COLUMNS) * 24;
  return [
    `<line x1="${x}" x2="${x + 28}" y1="${y}" y2="${y}" stroke="${style.color}" stroke-width="2" stroke-dasharray="${style.dash}"/>`,
    drawMark([x + 14, y], style),
    text([x + 36, y + 4], escaped(line.name), ''),
  ];
}

function styleOf({ name, look }: Line): Style {
  const style = STYLES[look];
  if (style === undefined) throw new Error(`${name} looks like none of ${STYLES.length} styles`);
  return style;
}

function text([x, y]: readonly [number, number], words: string, attributes: string): string {
  return `<text x="${x}" y="${y}" ${attributes}>${words}</text>`;
}

function round(value: number): number {
  return Math.round(value * 10) / 10;
}

function escaped(words: string): string {
  return words.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('"', '&quot;');
}
