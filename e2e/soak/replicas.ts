import { existsSync, readFileSync } from 'node:fs';
import { setTimeout as delay } from 'node:timers/promises';

import { type BuiltInReplica, startReplica } from '../support/built-in.ts';
import type { Environment } from '../support/environment.ts';
import { sumSeries } from '../support/metrics.ts';

const COUNT = 3;
/** How long an endpoint stays in place after its process has gone or is told to go. */
const ENDPOINT_LAG_MS = 300;
const REQUESTS = 'tagpin_registry_requests_total';
const LAG = 'nodejs_eventloop_lag_p99_seconds';

/** What a replica was seen to use. */
export interface Sample {
  readonly atMs: number;
  readonly pid: number;
  readonly rssBytes: number;
  readonly lagMs: number;
}

/**
 * Three of them, behind a balancer. The first stays, for what grows in a process shows in one that lives
 * long; any other may be lost, and is replaced.
 */
export class Replicas {
  readonly #environment: Environment;
  #settings: readonly string[];
  /** That take connections. */
  #running: BuiltInReplica[] = [];
  /** By process, how many requests it sent to registries when it was last asked. */
  readonly #requests = new Map<number, number>();
  readonly #logs = new Set<string>();
  readonly samples: Sample[] = [];

  constructor(environment: Environment, settings: readonly string[]) {
    this.#environment = environment;
    this.#settings = settings;
  }

  ports(): readonly number[] {
    return this.#running.map(({ port }) => port);
  }

  /** Of all that ever ran. */
  logs(): readonly string[] {
    return [...this.#logs];
  }

  /** How many requests registries had from them. */
  registryRequests(): number {
    return [...this.#requests.values()].reduce((sum, count) => sum + count, 0);
  }

  async start(): Promise<void> {
    await Promise.all(Array.from({ length: COUNT }, () => this.#add()));
  }

  async stop(): Promise<void> {
    await Promise.all(this.#running.splice(0).map((replica) => replica.stop()));
  }

  /** All of them anew, with other flags. */
  async restartWith(settings: readonly string[]): Promise<void> {
    this.#settings = settings;
    await this.stop();
    await this.start();
  }

  /** One dies, connections go to it for a moment, and then no more. */
  async kill(nth: number): Promise<void> {
    const replica = this.#nthToLose(nth);
    process.kill(replica.pid, 'SIGKILL');
    await delay(ENDPOINT_LAG_MS);
    this.#running = this.#running.filter((one) => one !== replica);
    await replica.stop();
  }

  /** Another one in the place of one that is lost. */
  async replace(): Promise<void> {
    await this.#add();
  }

  /** As a rollout does: first the new one, then the old one is told to go. */
  async roll(nth: number): Promise<void> {
    const replica = this.#nthToLose(nth);
    await this.#add();
    await this.#look(replica);
    const stopped = replica.stop();
    await delay(ENDPOINT_LAG_MS);
    this.#running = this.#running.filter((one) => one !== replica);
    await stopped;
  }

  async freeze(nth: number, ms: number): Promise<void> {
    const { pid } = nthOf(this.#running, nth);
    process.kill(pid, 'SIGSTOP');
    try {
      await delay(ms);
    } finally {
      process.kill(pid, 'SIGCONT');
    }
  }

  /** Looks at what each of them uses. */
  async look(): Promise<void> {
    await Promise.all(this.#running.map((replica) => this.#look(replica)));
  }

  async #look({ pid, operationsPort }: BuiltInReplica): Promise<void> {
    const text = await metricsAt(operationsPort);
    if (text === undefined) return;
    this.#requests.set(pid, sumSeries(text, REQUESTS));
    const lagMs = sumSeries(text, LAG) * 1000;
    const rssBytes = rssOf(pid);
    if (rssBytes !== undefined) this.samples.push({ atMs: Date.now(), pid, rssBytes, lagMs });
  }

  #nthToLose(nth: number): BuiltInReplica {
    return nthOf(this.#running.slice(1), nth);
  }

  async #add(): Promise<void> {
    const replica = await startReplica(this.#environment, this.#settings);
    this.#logs.add(replica.logFile);
    this.#running.push(replica);
  }
}

function nthOf(replicas: readonly BuiltInReplica[], nth: number): BuiltInReplica {
  const replica = replicas[nth % replicas.length];
  if (replica === undefined) throw new Error('No replica runs');
  return replica;
}

/** Undefined where it is stopped or dead just now, which is what happens to it here. */
async function metricsAt(port: number): Promise<string | undefined> {
  try {
    const signal = AbortSignal.timeout(1000);
    return await (await fetch(`http://127.0.0.1:${port}/metrics`, { signal })).text();
  } catch {
    return undefined;
  }
}

/** Undefined of one that has died since it answered: it has no memory any more, or no entry at all. */
function rssOf(pid: number): number | undefined {
  const file = `/proc/${pid}/status`;
  const status = existsSync(file) ? readFileSync(file, 'utf8') : '';
  const [, kib] = /^VmRSS:\s+(\d+) kB$/m.exec(status) ?? [];
  return kib === undefined ? undefined : Number(kib) * 1024;
}
