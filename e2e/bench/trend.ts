/** How something changes with time. */
export interface Trend {
  /** For each unit of time. */
  readonly slope: number;
  /** The slope is within this of the truth, in 95 cases of 100. */
  readonly uncertainty: number;
}

/** Of Student's distribution; for many points the normal distribution's. */
const WITHIN_95_OF_100: readonly number[] = [
  12.71, 4.3, 3.18, 2.78, 2.57, 2.45, 2.36, 2.31, 2.26, 2.23, 2.2, 2.18, 2.16, 2.14, 2.13,
];
const WITHIN_95_OF_100_OF_MANY = 2;

/** The line through points [time, value] with the least squares. Needs three of them. */
export function trendOf(points: readonly (readonly [number, number])[]): Trend {
  const freedoms = points.length - 2;
  if (freedoms < 1) throw new Error('A trend needs three points');
  const mean = (of: (point: readonly [number, number]) => number): number =>
    points.reduce((sum, point) => sum + of(point), 0) / points.length;
  const [meanTime, meanValue] = [mean(([time]) => time), mean(([, value]) => value)];
  const spread = mean(([time]) => (time - meanTime) ** 2) * points.length;
  const product = mean(([time, value]) => (time - meanTime) * (value - meanValue)) * points.length;
  const slope = product / spread;
  const rest = mean(([time, value]) => (value - meanValue - slope * (time - meanTime)) ** 2);
  const error = Math.sqrt((rest * points.length) / freedoms / spread);
  const factor = WITHIN_95_OF_100[freedoms - 1] ?? WITHIN_95_OF_100_OF_MANY;
  return { slope, uncertainty: factor * error };
}
