import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { startSampleRegistry } from '../demo/sample-registry.ts';
import { startLocalWebhook } from '../support/local-webhook.ts';
import { type LoadResult, load } from './load.ts';
import { pinUrl } from './post.ts';
import { processorMs } from './processor-time.ts';
import type { Part, PartResult, Row } from './result.ts';
import { interleaved, ratiosOf } from './rounds.ts';
import { type Ceiling, startCeiling } from './start-ceiling.ts';
import { bodiesOf, countOf, IMAGES } from './warm-reviews.ts';

/**
 * The warm path against the ceiling, which gets the same bodies and always answers what tagpin
 * answers to them: express 5 with express.json(), over TLS with the same kind of certificate.
 */
const WARM_UP_SECONDS = 1;
/** Before the figure with a goal, for both: V8 takes some ten thousand calls to compile a review. */
const LONG_WARM_UP_SECONDS = 8;
/** Of the figure with a goal, and of the others. */
const MOST = { rounds: 7, seconds: 3 };
const FEW = { rounds: 3, seconds: 1 };
const CONNECTIONS = [1, 8, 32];
const ALL_CONNECTIONS = 32;
const HEADLINE = 'Pod of 3 images';

/** One measurement, and what the server spent on it. */
interface Measured extends LoadResult {
  /** Nothing of a peer, of which only the URL is known. */
  readonly processorMs: number;
}

type Measure = Pick<Row, 'unit' | 'digits'>;
const RATIO: Measure = { unit: '×', digits: 2 };
const RATE: Measure = { unit: 'reviews/s', digits: 0 };
const TIME: Measure = { unit: 'ms', digits: 2 };
const COST: Measure = { unit: 'µs', digits: 0 };
const COUNT: Measure = { unit: '', digits: 0 };

type Rounds = Readonly<Record<string, readonly Measured[]>>;

interface Contender {
  readonly url: string;
  readonly pid?: number;
}

/** Who answers reviews of one kind, each with its own URL. */
interface Case {
  readonly name: string;
  readonly body: string;
  readonly contenders: Readonly<Record<string, Contender>>;
}

export const benchWarm: Part = async ({ peer }) => {
  const directory = mkdtempSync(join(tmpdir(), 'tagpin-warm-'));
  const tags = Array.from(
    { length: Math.max(...IMAGES) },
    (_, n) => `team-${n % 7}/app-${n}:1.${n}`,
  );
  const registry = await startSampleRegistry(tags);
  const webhook = await startLocalWebhook([`--plain-http=${registry.host}`, '--cache-ttl=1h']);
  const ceilings: Ceiling[] = [];
  try {
    const bodies = await bodiesOf(
      webhook,
      tags.map((tag) => `${registry.host}/${tag}`),
    );
    const cases: Case[] = [];
    for (const [name, body] of Object.entries(bodies)) {
      const answer = JSON.stringify(await webhook.send('pin', body));
      const ceiling = await startCeiling(answer, directory);
      ceilings.push(ceiling);
      const contenders = {
        tagpin: { url: pinUrl(webhook), pid: webhook.pid },
        ceiling,
        ...(peer !== undefined && { peer: { url: peer } }),
      };
      cases.push({ name, body: JSON.stringify(body), contenders });
    }
    const asked = registry.requests.length;
    // Everybody has seen every kind of review before anything is measured.
    const all = { connections: ALL_CONNECTIONS, directory };
    for (const one of cases) await measured(one, { ...all, rounds: 1, seconds: WARM_UP_SECONDS });
    const rows: Row[] = [];
    for (const [one, connections] of measurementsOf(cases)) {
      const most = one.name === HEADLINE && connections === ALL_CONNECTIONS;
      if (most) await measured(one, { ...all, rounds: 1, seconds: LONG_WARM_UP_SECONDS });
      const rounds = await measured(one, { connections, directory, ...(most ? MOST : FEW) });
      rows.push(...rowsOf(`${one.name}, ${countOf(connections, 'connection')}`, rounds, most));
    }
    return resultOf(rows, registry.requests.length - asked);
  } finally {
    for (const { stop } of ceilings) await stop();
    await webhook.stop();
    registry.close();
    rmSync(directory, { recursive: true });
  }
};

/** Pods by 1, 8 and 32 connections, the others by 32; what has a goal comes first. */
function measurementsOf(cases: readonly Case[]): (readonly [Case, number])[] {
  const pods = cases.filter(({ name }) => /^Pod of \d/.test(name));
  const others = cases.filter((one) => !pods.includes(one));
  const headline = pods.filter(({ name }) => name === HEADLINE);
  const rest = pods.flatMap((one) =>
    CONNECTIONS.map((connections) => [one, connections] as const).filter(
      ([{ name }, connections]) => name !== HEADLINE || connections !== ALL_CONNECTIONS,
    ),
  );
  return [
    ...headline.map((one) => [one, ALL_CONNECTIONS] as const),
    ...rest,
    ...others.map((one) => [one, ALL_CONNECTIONS] as const),
  ];
}

interface Setting {
  readonly rounds: number;
  readonly seconds: number;
  readonly connections: number;
  readonly directory: string;
}

function measured({ body, contenders }: Case, setting: Setting): Promise<Rounds> {
  const { rounds, ...rest } = setting;
  const loads = Object.entries(contenders).map(([name, { url, pid }]) => {
    const one = async (): Promise<Measured> => {
      const before = pid === undefined ? 0 : processorMs(pid);
      const result = await load({ url, body, ...rest });
      return { ...result, processorMs: pid === undefined ? 0 : processorMs(pid) - before };
    };
    return [name, one] as const;
  });
  return interleaved(rounds, Object.fromEntries(loads));
}

function ratesOf(results: readonly Measured[]): number[] {
  return results.map(({ requestsPerSecond }) => requestsPerSecond);
}

/** What one review costs, in microseconds of a processor. */
function costsOf(results: readonly Measured[]): number[] {
  return results.map(({ requests, processorMs: spent }) => (spent * 1000) / requests);
}

function rowsOf(
  title: string,
  { tagpin = [], ceiling = [], peer = [] }: Rounds,
  most: boolean,
): Row[] {
  const row = (what: string, measure: Measure, values: readonly number[]): Row => ({
    what: `${title}: ${what}`,
    ...measure,
    values,
  });
  const ratio = row('tagpin ÷ ceiling', RATIO, ratiosOf(ratesOf(tagpin), ratesOf(ceiling)));
  const figuresOf = (who: string, results: readonly Measured[]): Row[] => [
    row(who, RATE, ratesOf(results)),
    row(
      `${who}, p50`,
      TIME,
      results.map(({ p50Ms }) => p50Ms),
    ),
    row(
      `${who}, p99`,
      TIME,
      results.map(({ p99Ms }) => p99Ms),
    ),
  ];
  const failed = [...tagpin, ...ceiling].map(({ errors }) => errors);
  const costs = [costsOf(tagpin), costsOf(ceiling)] as const;
  return [
    most ? { ...ratio, goal: { atLeast: 1 } } : ratio,
    ...figuresOf('tagpin', tagpin),
    ...(most ? figuresOf('ceiling', ceiling) : [row('ceiling', RATE, ratesOf(ceiling))]),
    ...(most ? [row('processor time of a review, tagpin', COST, costs[0])] : []),
    row('processor time of a review, tagpin ÷ ceiling', RATIO, ratiosOf(...costs)),
    ...(peer.length > 0 ? figuresOf('peer', peer) : []),
    ...(peer.length > 0
      ? [row('tagpin ÷ peer', RATIO, ratiosOf(ratesOf(tagpin), ratesOf(peer)))]
      : []),
    ...(failed.some((count) => count > 0)
      ? [{ ...row('failed calls', COUNT, failed), goal: { atMost: 0 } }]
      : []),
  ];
}

function resultOf(rows: readonly Row[], requests: number): PartResult {
  const asked: Row = {
    what: 'requests to the registry',
    unit: '',
    digits: 0,
    values: [requests],
    goal: { atMost: 0 },
  };
  return {
    part: 'warm',
    text: `Reviews of cached images over TLS with keep-alive, beside express 5 with \`express.json()\` and a constant answer, by the same bodies and in turns: ${MOST.rounds} rounds of ${MOST.seconds} s for the first figure, ${FEW.rounds} of ${FEW.seconds} s for the others. The load comes from wrk on the same machine.`,
    rows: [...rows, asked],
  };
}
