/** One figure, once for each round of a run. */
export interface Row {
  readonly what: string;
  readonly unit: string;
  readonly values: readonly number[];
  /** How many of them after the point say something. */
  readonly digits: number;
  /** What the median must reach. */
  readonly goal?: { readonly atMost: number } | { readonly atLeast: number };
}

/** What one part of the benchmark found. */
export interface PartResult {
  readonly part: string;
  /** What was measured, and for how long; one or two sentences. */
  readonly text: string;
  readonly rows: readonly Row[];
}

export interface PartOptions {
  /** Another webhook, measured in the same rounds: `https://127.0.0.1:PORT/PATH`. */
  readonly peer?: string;
  /** How long what is measured for minutes is measured. */
  readonly minutes?: number;
}

export type Part = (options: PartOptions) => Promise<PartResult>;

/** The middle value; of an even number of them the greater of the middle two; NaN of none. */
export function medianOf(values: readonly number[]): number {
  return values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)] ?? Number.NaN;
}

/** Whether the median is what the goal asks; nothing where there is none. */
export function reaches({ values, goal }: Row): boolean | undefined {
  if (goal === undefined) return undefined;
  const median = medianOf(values);
  return 'atMost' in goal ? median <= goal.atMost : median >= goal.atLeast;
}
