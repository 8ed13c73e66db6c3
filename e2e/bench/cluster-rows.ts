import type { Row } from './result.ts';
import { ratiosOf } from './rounds.ts';

export const AT_A_TIME = 16;
const MAX_ADDED_MS = 0.5;
const LEAST_RATIO = 0.85;
export const CONTENDERS = ['none', 'constant', 'tagpin'] as const;
export type Contender = (typeof CONTENDERS)[number];
const NAMES: Readonly<Record<Contender, string>> = {
  none: 'no webhook',
  constant: 'constant pin',
  tagpin: 'tagpin',
};

/** Pods that were made at the same time. */
export interface Together {
  readonly perSecond: number;
  readonly p50Ms: number;
  readonly p99Ms: number;
  /** Of its webhook, for each Pod. */
  readonly processorMs: number;
}

/** The times of Pods that were made one after the other, sorted. */
export type OneByOne = Readonly<Record<Contender, readonly number[]>>;

/** Of sorted values. */
export function at(sorted: readonly number[], share: number): number {
  return sorted[Math.floor(sorted.length * share)] ?? Number.NaN;
}

type Figure = Pick<Row, 'values'> & Partial<Pick<Row, 'goal'>>;

function msRow(what: string, digits: number, figure: Figure): Row {
  return { what, unit: 'ms', digits, ...figure };
}

export function singleRows(rounds: readonly OneByOne[]): Row[] {
  const atShare = (name: Contender, share: number): number[] =>
    rounds.map((round) => at(round[name], share));
  const added = (name: Contender, to: Contender): number[] =>
    rounds.map((round) => at(round[name], 0.5) - at(round[to], 0.5));
  const one = '1 in flight';
  return [
    msRow(`${one}: added by tagpin to the constant pin, p50`, 2, {
      values: added('tagpin', 'constant'),
      goal: { atMost: MAX_ADDED_MS },
    }),
    msRow(`${one}: added by the constant pin, p50`, 2, { values: added('constant', 'none') }),
    msRow(`${one}: added by tagpin, p50`, 2, { values: added('tagpin', 'none') }),
    ...CONTENDERS.flatMap((name) => [
      msRow(`${one}, ${NAMES[name]}: p50`, 2, { values: atShare(name, 0.5) }),
      msRow(`${one}, ${NAMES[name]}: p99`, 2, { values: atShare(name, 0.99) }),
    ]),
  ];
}

export function togetherRows(rounds: Readonly<Record<Contender, readonly Together[]>>): Row[] {
  const rates = (name: Contender): number[] => rounds[name].map(({ perSecond }) => perSecond);
  const ratio = (name: Contender, to: Contender): Omit<Row, 'what'> => ({
    unit: '×',
    digits: 2,
    values: ratiosOf(rates(name), rates(to)),
  });
  const many = `${AT_A_TIME} in flight`;
  return [
    {
      what: `${many}: rate with tagpin ÷ constant pin`,
      ...ratio('tagpin', 'constant'),
      goal: { atLeast: LEAST_RATIO },
    },
    { what: `${many}: rate with the constant pin ÷ none`, ...ratio('constant', 'none') },
    ...CONTENDERS.flatMap((name) => [
      { what: `${many}, ${NAMES[name]}: rate`, unit: 'Pods/s', digits: 0, values: rates(name) },
      msRow(`${many}, ${NAMES[name]}: p50`, 1, {
        values: rounds[name].map(({ p50Ms }) => p50Ms),
      }),
      msRow(`${many}, ${NAMES[name]}: p99`, 1, {
        values: rounds[name].map(({ p99Ms }) => p99Ms),
      }),
    ]),
    ...(['constant', 'tagpin'] as const).map((name) =>
      msRow(`${many}, ${NAMES[name]}: processor time of the webhook for a Pod`, 2, {
        values: rounds[name].map((together) => together.processorMs),
      }),
    ),
  ];
}
