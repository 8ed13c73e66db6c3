import { randomBytes } from 'node:crypto';

import { PinError } from '../errors.ts';
import type { Logger } from '../log.ts';
import type { Certificate } from './certificate.ts';
import { decide, isEverywhere, type Leaf, type Pace, type Step } from './decide.ts';
import type { Entry } from './entries.ts';
import type { Issuer, KeyPair } from './ports.ts';
import type { Reading } from './reading.ts';
import { type Generation, NO_STATE } from './state.ts';

export interface ReplicaParts {
  /** Throws PinError. */
  readonly read: () => Promise<Reading>;
  readonly issuer: Issuer;
  readonly names: readonly string[];
  readonly lifetimes: Lifetimes;
  /** Given each new pair. */
  readonly use: (pair: KeyPair) => void;
  /** Given the tokens by which the API server calls, or is about to. */
  readonly knowTokens: (tokens: readonly string[]) => void;
  /** Told when a certificate in use expires, in seconds since 1970. */
  readonly observeExpiry: (certificate: 'serving' | 'authority', timestampSeconds: number) => void;
  /** Told, whenever they are read, of the entries that call tagpin. */
  readonly observeEntries: (entries: readonly Entry[]) => void;
  readonly log: Logger;
  /** A clock that never steps, in milliseconds. */
  readonly now: () => number;
}

/** In milliseconds. */
export interface Lifetimes {
  readonly leafMs: number;
  readonly authorityMs: number;
}

/** Other replicas do the same: each conflict is a step that somebody else took. */
const MAX_STEPS = 50;

/** One replica, without its timer. */
export interface Replica {
  /** Takes steps until there is none to be taken; gives what was read last. */
  readonly round: () => Promise<Reading>;
  /** Reads and decides; `act` then takes the step, and tells whether it was the last one. */
  readonly look: () => Promise<{ readonly reading: Reading; readonly act: () => Promise<boolean> }>;
  readonly isLoaded: () => boolean;
  readonly leaf: () => Leaf | undefined;
}

export function createReplica(parts: ReplicaParts, pace: Pace): Replica {
  const { now, knowTokens } = parts;
  let leaf: Leaf | undefined;
  /** By fingerprint: since when it has been seen in every bundle. */
  const publishedSince = new Map<string, number>();

  const look: Replica['look'] = async () => {
    const reading = await parts.read();
    const { state, entries } = reading;
    parts.observeEntries(entries);
    const { generations, formerTokens } = state ?? NO_STATE;
    knowTokens([
      ...[...generations, ...formerTokens].map(({ token }) => token),
      ...entries.flatMap(({ token }) => token ?? []),
    ]);
    watch(publishedSince, reading, now());
    const publishedForMs = (fingerprint: string): number => {
      const since = publishedSince.get(fingerprint);
      return since === undefined ? -1 : now() - since;
    };
    const next = decide(reading, { leaf, publishedForMs }, pace);
    return {
      reading,
      act: async () => {
        leaf = (await take(parts, next, reading)) ?? leaf;
        return next.step === 'wait';
      },
    };
  };

  return {
    look,
    isLoaded: () => leaf !== undefined,
    leaf: () => leaf,
    round: async () => {
      for (let steps = 0; steps < MAX_STEPS; steps += 1) {
        // oxlint-disable-next-line no-await-in-loop -- each step follows from what the last one left
        const { reading, act } = await look();
        // oxlint-disable-next-line no-await-in-loop -- as above
        if (await act()) return reading;
      }
      throw new PinError('cluster_unreadable', 'Cannot keep up with changes of the certificates');
    },
  };
}

function watch(since: Map<string, number>, { state, entries }: Reading, nowMs: number): void {
  const published = (state?.generations ?? [])
    .map(({ certificate }) => certificate.fingerprint)
    .filter((fingerprint) => isEverywhere(entries, fingerprint));
  for (const fingerprint of since.keys()) {
    if (!published.includes(fingerprint)) since.delete(fingerprint);
  }
  for (const fingerprint of published) {
    if (!since.has(fingerprint)) since.set(fingerprint, nowMs);
  }
}

/** Takes one step; gives the new certificate where one was signed. */
async function take(parts: ReplicaParts, next: Step, reading: Reading): Promise<Leaf | undefined> {
  const { log } = parts;
  if (next.step === 'sign') return signLeaf(parts, next, reading.nowMs);
  if (next.step === 'found') {
    const generation = await foundGeneration(parts, reading.nowMs);
    const generations = [...next.beside.generations, generation];
    const stored = await reading.store({ ...next.beside, generations });
    if (stored) log.info(described(generation.certificate), 'certificate authority made');
  } else if (next.step === 'store') {
    const stored = await reading.store(next.state);
    if (stored) log.info({ why: next.why }, 'certificate authorities noted');
  } else if (next.step === 'publish') {
    const published = await reading.publish(next.changes);
    if (published) log.info({ entries: next.changes.length }, 'webhook configuration written');
  }
  return undefined;
}

async function foundGeneration(
  { issuer, lifetimes }: ReplicaParts,
  nowMs: number,
): Promise<Generation> {
  const { certificate, key } = await issuer.authority({
    nowMs,
    notAfterMs: nowMs + lifetimes.authorityMs,
  });
  const token = randomBytes(32).toString('hex');
  return { certificate, key, token, settled: false };
}

async function signLeaf(
  { issuer, names, use, observeExpiry, log }: ReplicaParts,
  { by, notAfterMs }: Extract<Step, { step: 'sign' }>,
  nowMs: number,
): Promise<Leaf> {
  const { certificate, ...pair } = await issuer.serving(by, names, { nowMs, notAfterMs });
  use(pair);
  observeExpiry('serving', certificate.notAfterMs / 1000);
  observeExpiry('authority', by.certificate.notAfterMs / 1000);
  log.info({ ...described(certificate), by: by.certificate.fingerprint }, 'certificate signed');
  return { certificate, authority: by.certificate.fingerprint };
}

function described({ fingerprint, notAfterMs }: Certificate): Record<string, string> {
  return { fingerprint, expires: new Date(notAfterMs).toISOString() };
}
