import { describe, expect, it } from '@jest/globals';

import { drawPlot, type Plot } from '../../e2e/simulation/plot.ts';

const PLOT: Plot = {
  title: 'Requests & "replicas"',
  xLabel: 'replicas',
  yLabel: 'requests',
  xScale: 'log',
  yScale: 'log',
  xTick: String,
  yTick: String,
  lines: [
    {
      name: 'one',
      look: 0,
      points: [
        [1, 0],
        [10, 10],
        [100, 1000],
      ],
    },
  ],
  levels: [{ name: 'allowed', y: 100 }],
};

/** Where the marks of the first line stand. */
function marks(svg: string): number[][] {
  const [, points = ''] = /<polyline points="([^"]+)"/.exec(svg) ?? [];
  return points.split(' ').map((point) => point.split(',').map(Number));
}

describe('drawPlot()', () => {
  it.each([
    // From the left edge to the right one and from the bottom to the top, each ten equally far.
    [
      'log',
      [
        [76, 276],
        [408, 276],
        [740, 44],
      ],
    ],
    [
      'linear',
      [
        [82.6, 276],
        [142.4, 273.7],
        [740, 44],
      ],
    ],
  ] as const)('puts points where their values are on a %s scale', (scale, places) => {
    expect(marks(drawPlot({ ...PLOT, xScale: scale, yScale: scale }))).toEqual(places);
  });

  it('names every line and level, and lets no name into the markup', () => {
    const svg = drawPlot(PLOT);
    expect(svg).toContain('>one</text>');
    expect(svg).toContain('>allowed</text>');
    expect(svg).toContain('aria-label="Requests &amp; &quot;replicas&quot;"');
  });

  it('has ink for light and for dark pages', () => {
    expect(drawPlot(PLOT)).toContain('@media (prefers-color-scheme: dark)');
  });

  it('refuses a style that there is not', () => {
    const lines = [{ name: 'odd', look: 5, points: [] }];
    expect(() => drawPlot({ ...PLOT, lines })).toThrow('odd looks like none of 5 styles');
  });
});
