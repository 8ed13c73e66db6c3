import type { LookupAddress, LookupOptions } from 'node:dns';

import { LRUCache } from 'lru-cache';

import { PinError } from '../errors.ts';

/** DNS, as `lookup` of node:dns asks it for every address of a name. */
export type ResolveName = (
  hostname: string,
  options: LookupOptions & { all: true },
  callback: (error: NodeJS.ErrnoException | null, addresses: LookupAddress[]) => void,
) => void;

/** A name that is to be dialled. */
export interface NameQuestion {
  readonly hostname: string;
  readonly options: LookupOptions;
  /** Host and port, for messages. */
  readonly host: string;
  /** Whether the operator named it. */
  readonly isNamed: boolean;
  /** Whether its certificate would tell if an address has become somebody else's. */
  readonly mayBeOld: boolean;
  readonly timeoutMs: number;
}

type Tell = (error: Error | null, addresses: LookupAddress[]) => void;

/**
 * Looks a name up. Tells PinError `dns_failed` where that takes too long, and whatever DNS fails
 * with as it is.
 */
export type LookUpName = (question: NameQuestion, tell: Tell) => void;

interface NameLookupsParts {
  readonly resolveName: ResolveName;
  /** How many names are looked up at once. */
  readonly slots: number;
}

/** One look-up, for all who want the same. */
interface Call {
  readonly key: string;
  readonly question: NameQuestion;
  readonly listeners: Set<Tell>;
  /** Named, or resolved before. */
  isKnown: boolean;
  isRunning: boolean;
}

const MAX_RESOLVED = 10_000;
const RESOLVED_TTL_MS = 3_600_000;
const MAX_THREADS = 1024;

/**
 * How many names the process can look up at once: libuv gives `getaddrinfo` half of its threads
 * (`slow_work_thread_threshold` of its src/threadpool.c), which are four unless UV_THREADPOOL_SIZE
 * says otherwise.
 */
export function nameSlotsOf({
  UV_THREADPOOL_SIZE = '4',
}: Readonly<Record<string, string | undefined>>): number {
  const threads = Number.parseInt(UV_THREADPOOL_SIZE, 10) || 1;
  return Math.max(1, Math.floor(Math.min(threads, MAX_THREADS) / 2));
}

/**
 * A look-up of the system cannot be called off: it has its thread until DNS answers or the system
 * gives up, which takes it 10 s and more, long after whoever asked has left. So they are counted
 * until then. Names can be invented, and so can ones that never resolve: those that did not resolve
 * before have half of the slots. Whoever finds none waits for one as long as for DNS.
 *
 * A name that DNS does not answer for in time has the addresses that it had within the hour, as RFC
 * 8767 has it, where a certificate proves that they are still its own.
 */
export function createNameLookups({ resolveName, slots }: NameLookupsParts): LookUpName {
  const forStrangers = Math.max(1, Math.floor(slots / 2));
  const resolved = new LRUCache<string, LookupAddress[]>({
    max: MAX_RESOLVED,
    ttl: RESOLVED_TTL_MS,
    perf: { now: () => performance.now() },
  });
  const calls = new Map<string, Call>();
  const running = { known: 0, strangers: 0 };

  const startIfRoom = (call: Call): void => {
    if (call.isRunning || running.known + running.strangers >= slots) return;
    if (!call.isKnown && running.strangers >= forStrangers) return;
    const { key, question, listeners } = call;
    const kind = call.isKnown ? 'known' : 'strangers';
    call.isRunning = true;
    running[kind] += 1;
    resolveName(question.hostname, { ...question.options, all: true }, (error, addresses) => {
      running[kind] -= 1;
      calls.delete(key);
      if (error === null) resolved.set(key, addresses);
      for (const tell of listeners) tell(error, addresses);
      for (const waiting of calls.values()) startIfRoom(waiting);
    });
  };

  return (question, tell) => {
    const key = keyOf(question);
    const known = resolved.get(key);
    const old = question.mayBeOld ? known : undefined;
    const call = calls.get(key) ?? newCall(key, question);
    calls.set(key, call);
    call.isKnown ||= question.isNamed || known !== undefined;
    const leave = (): void => {
      call.listeners.delete(listen);
      if (!call.isRunning && call.listeners.size === 0) calls.delete(key);
      if (old === undefined) tell(call.isRunning ? notInTime(question) : tooMany(question), []);
      else tell(null, old);
    };
    const timer = setTimeout(leave, question.timeoutMs);
    const listen: Tell = (error, addresses) => {
      clearTimeout(timer);
      tell(error, addresses);
    };
    call.listeners.add(listen);
    startIfRoom(call);
    if (call.isRunning || old === undefined) return;
    clearTimeout(timer);
    leave();
  };
}

function keyOf({ hostname, options: { family, hints, order } }: NameQuestion): string {
  return [hostname, family, hints, order].join(' ');
}

function newCall(key: string, question: NameQuestion): Call {
  return { key, question, listeners: new Set(), isKnown: false, isRunning: false };
}

/** It may be the fault of others that DNS is slow: nothing is said against the host itself. */
function notInTime({ host, hostname }: NameQuestion): PinError {
  const message = `${host} could not be looked up: its name was not resolved in time`;
  return new PinError('dns_failed', message, { host: hostname });
}

function tooMany({ host, hostname }: NameQuestion): PinError {
  const message = `${host} is not asked: too many names are being looked up`;
  return new PinError('dns_failed', message, { host: hostname, asked: false });
}
