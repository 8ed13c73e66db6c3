import { type Certificate, isDue, isExpired, isValid } from './certificate.ts';
import type { Entry, Wanted } from './entries.ts';
import {
  type FormerToken,
  type Generation,
  type Leaving,
  MAX_ITEMS,
  NO_STATE,
  type State,
} from './state.ts';

/** What one replica has read of the cluster. */
export interface Seen {
  /** Undefined where there is no Secret, or an empty one. */
  readonly state: State | undefined;
  /** Of all webhook configurations; read before the state, which is therefore no older. */
  readonly entries: readonly Entry[];
  /** The time of the API server, which is who judges certificates. */
  readonly nowMs: number;
}

/** The certificate that this replica shows. */
export interface Leaf {
  readonly certificate: Certificate;
  /** The fingerprint of its authority. */
  readonly authority: string;
}

/** What one replica knows of itself. */
export interface Self {
  readonly leaf: Leaf | undefined;
  /** How long, by its own steady clock, it has seen this authority in every bundle. */
  readonly publishedForMs: (fingerprint: string) => number;
}

/** The pace at which all of it goes. */
export interface Pace {
  readonly leafLifetimeMs: number;
  /** How long a new authority stands in the bundles, and its token in the Secret, before it counts. */
  readonly settleMs: number;
}

/** What to do next; after anything but `wait` the cluster is read again. */
export type Step =
  | { readonly step: 'found'; readonly beside: State }
  | { readonly step: 'store'; readonly state: State; readonly why: 'tidied' | 'settled' }
  | { readonly step: 'publish'; readonly changes: readonly Wanted[] }
  | { readonly step: 'sign'; readonly by: Generation; readonly notAfterMs: number }
  | { readonly step: 'wait' };

/** What a rule looks at. */
interface View extends Seen, Self, Pace {
  readonly state: State;
  /** Those that may sign now, from the oldest on. */
  readonly valid: readonly Generation[];
}

type Rule = (view: View) => Step | undefined;

/**
 * The next step of one replica. Every step is safe whatever the others do meanwhile: the Secret and
 * the configurations are only written as they were read.
 *
 * 1. Where no authority is good for long, there has to be another.
 * 2. What expired goes out of the Secret; what stands in a bundle and is nobody's is given a time to leave.
 * 3. Bundles have every authority; paths have the token of the one that signs.
 * 4. An authority that was in every bundle for long enough has settled, for all replicas.
 * 5. The newest settled authority signs.
 */
export function decide(seen: Seen, self: Self, pace: Pace): Step {
  const state = seen.state ?? NO_STATE;
  const valid = state.generations.filter(({ certificate }) => isValid(certificate, seen.nowMs));
  const view = { ...seen, ...self, ...pace, state, valid };
  for (const rule of RULES) {
    const step = rule(view);
    if (step !== undefined) return step;
  }
  return { step: 'wait' };
}

const found: Rule = ({ state, valid, nowMs }) => {
  const newest = valid.at(-1);
  if (newest !== undefined && !isDue(newest.certificate, nowMs)) return undefined;
  return { step: 'found', beside: { ...state, generations: valid } };
};

const tidy: Rule = (view) => {
  const { state, nowMs } = view;
  const generations = state.generations.filter(({ certificate }) => !isExpired(certificate, nowMs));
  const next = { generations, leaving: leavingIn(view), formerTokens: formerTokensIn(view) };
  const isSame =
    generations.length === state.generations.length &&
    sameItems(state.leaving, next.leaving) &&
    sameItems(state.formerTokens, next.formerTokens);
  return isSame ? undefined : { step: 'store', state: next, why: 'tidied' };
};

/**
 * What is in a bundle and nobody's: of a Secret that was deleted, or from before tagpin made its own.
 * What there is no room for stays in the bundle until others have left.
 */
function leavingIn({ state, entries, nowMs, leafLifetimeMs }: View): readonly Leaving[] {
  const ours = new Set(state.generations.map(({ certificate }) => certificate.fingerprint));
  const known = new Map(state.leaving.map((leaving) => [leaving.fingerprint, leaving]));
  const untilMs = nowMs + leafLifetimeMs;
  const foreign = unexpired(entries, nowMs)
    .map(({ fingerprint }) => fingerprint)
    .filter((fingerprint) => !ours.has(fingerprint));
  return knownFirst(foreign, known)
    .slice(0, MAX_ITEMS)
    .map((fingerprint) => known.get(fingerprint) ?? { fingerprint, untilMs });
}

/** API servers call by another path seconds after it was written; a token that leaked is not to live on. */
const FORMER_TOKEN_MS = 600_000;

/**
 * New replicas have to know the tokens, too, by which calls came before the Secret was made anew: as
 * long as an entry has them, and a while longer, if there is room.
 */
function formerTokensIn({ state, entries, nowMs, leafLifetimeMs }: View): readonly FormerToken[] {
  const ours = new Set(state.generations.map(({ token }) => token));
  const known = new Map(
    state.formerTokens.filter(({ untilMs }) => untilMs > nowMs).map((item) => [item.token, item]),
  );
  const untilMs = nowMs + Math.min(leafLifetimeMs, FORMER_TOKEN_MS);
  const called = new Set(
    entries.flatMap(({ token }) => token ?? []).filter((token) => !ours.has(token)),
  );
  const calledNow = knownFirst([...called], known).slice(0, MAX_ITEMS);
  const before = [...known.keys()].filter((token) => !called.has(token));
  return [...before, ...calledNow]
    .slice(-MAX_ITEMS)
    .map((token) => known.get(token) ?? { token, untilMs });
}

/** What was noted is noted again, whatever else there is no room for: or two replicas would never be done. */
function knownFirst(
  names: readonly string[],
  known: ReadonlyMap<string, unknown>,
): readonly string[] {
  return names.toSorted((one, other) => Number(known.has(other)) - Number(known.has(one)));
}

function sameItems<T>(one: readonly T[], other: readonly T[]): boolean {
  return one.length === other.length && other.every((item) => one.includes(item));
}

const publish: Rule = (view) => {
  const { state, valid, entries, nowMs } = view;
  const gone = new Set(
    state.leaving.filter(({ untilMs }) => untilMs <= nowMs).map(({ fingerprint }) => fingerprint),
  );
  const ours = state.generations.map(({ certificate }) => certificate);
  const signing = valid.findLast(({ settled }) => settled);
  const changes = entries.flatMap((entry): Wanted[] => {
    const kept = entry.bundle.filter(
      (certificate) => !isExpired(certificate, nowMs) && !gone.has(certificate.fingerprint),
    );
    const missing = ours.filter((certificate) => !has(kept, certificate.fingerprint));
    // Until the first one has settled, nobody is called by another path than there is.
    const token = signing?.token ?? entry.token ?? valid.at(-1)?.token;
    const isRight = kept.length === entry.bundle.length && missing.length === 0;
    if (token === undefined || (isRight && token === entry.token)) return [];
    // Of a bundle with more than is read, ours are.
    return [{ entry, bundle: [...missing, ...kept], token }];
  });
  return changes.length === 0 ? undefined : { step: 'publish', changes };
};

const settle: Rule = ({ state, valid, entries, nowMs, publishedForMs, settleMs }) => {
  const newest = valid.at(-1);
  if (newest === undefined || newest.settled) return undefined;
  const { fingerprint } = newest.certificate;
  if (!isEverywhere(entries, fingerprint)) return undefined;
  // Where no other is trusted, nobody shows a certificate that works: nothing is lost by haste.
  const isAlone = unexpired(entries, nowMs).every((other) => other.fingerprint === fingerprint);
  if (!isAlone && publishedForMs(fingerprint) < settleMs) return undefined;
  const generations = state.generations.map((generation) =>
    generation === newest ? { ...newest, settled: true } : generation,
  );
  return { step: 'store', state: { ...state, generations }, why: 'settled' };
};

const sign: Rule = ({ valid, entries, leaf, nowMs, leafLifetimeMs }) => {
  const by = valid.findLast(
    ({ settled, certificate }) => settled && isEverywhere(entries, certificate.fingerprint),
  );
  if (by === undefined) return undefined;
  // A certificate is worth nothing without its authority.
  const notAfterMs = Math.min(nowMs + leafLifetimeMs, by.certificate.notAfterMs);
  const isGood =
    leaf !== undefined &&
    leaf.authority === by.certificate.fingerprint &&
    isValid(leaf.certificate, nowMs) &&
    (!isDue(leaf.certificate, nowMs) || leaf.certificate.notAfterMs >= by.certificate.notAfterMs);
  return isGood ? undefined : { step: 'sign', by, notAfterMs };
};

const RULES: readonly Rule[] = [found, tidy, publish, settle, sign];

/** Whether every entry trusts it; where there is none, nobody calls who could mistrust it. */
export function isEverywhere(entries: readonly Entry[], fingerprint: string): boolean {
  return entries.every(({ bundle }) => has(bundle, fingerprint));
}

function has(bundle: readonly Certificate[], fingerprint: string): boolean {
  return bundle.some((certificate) => certificate.fingerprint === fingerprint);
}

/** Every certificate that some entry trusts today, once. */
function unexpired(entries: readonly Entry[], nowMs: number): readonly Certificate[] {
  const all = entries.flatMap(({ bundle }) => bundle);
  return [
    ...new Map(all.map((certificate) => [certificate.fingerprint, certificate])).values(),
  ].filter((certificate) => !isExpired(certificate, nowMs));
}
