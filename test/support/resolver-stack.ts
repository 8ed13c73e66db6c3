import { PinError } from '../../src/errors.ts';
import { parseReference } from '../../src/image/reference.ts';
import { createBreaker } from '../../src/resolve/breaker.ts';
import { createCache } from '../../src/resolve/cache.ts';
import { createFlights } from '../../src/resolve/flights.ts';
import { createGate } from '../../src/resolve/gate.ts';
import { createLimits } from '../../src/resolve/limits.ts';
import { createResolver, type Resolution, type Resolver } from '../../src/resolve/resolver.ts';
import { createRoute } from '../../src/resolve/route.ts';
import { Cluster } from './cluster.ts';
import { createRegistryStack, type RegistryStack } from './registry-stack.ts';
import type { ScriptedRegistry } from './scripted-registry.ts';

export const CACHE_TTL_MS = 60_000;
export const STALE_IF_ERROR_MS = 3_600_000;

/** Who asks, and how. */
export interface Ask {
  readonly namespace?: string;
  readonly pullSecrets?: readonly string[];
  readonly serviceAccount?: string;
  /** How long it waits. */
  readonly deadlineMs?: number;
  readonly notBeforeMs?: number;
}

/** The real resolver with all that lies below it, a cluster in memory, and a clock moved by hand. */
export class ResolverStack implements AsyncDisposable {
  readonly cluster: Cluster = new Cluster();
  /** How the cache answered, in order. */
  readonly observed: string[] = [];
  /** Registries that were closed, with the moment until which. */
  readonly gated: [string, number][] = [];
  /** Registries that were left alone for their silence, with the moment until which. */
  readonly silent: [string, number][] = [];
  readonly #registries: RegistryStack;
  readonly #resolver: Resolver;

  constructor(...registries: readonly ScriptedRegistry[]) {
    const now = (): number => this.cluster.nowMs;
    const plainHttp = registries.flatMap(({ host, port }) => [host, `localhost:${port}`]);
    this.#registries = createRegistryStack({ plainHttp, now });
    const cache = createCache({
      ttlMs: CACHE_TTL_MS,
      staleIfErrorMs: STALE_IF_ERROR_MS,
      random: () => 0,
    });
    const flights = createFlights({
      route: createRoute({
        client: this.#registries.client,
        endpointsOf: this.#registries.endpointsOf,
        gate: createGate((registry, untilMs) => this.gated.push([registry, untilMs])),
        breaker: createBreaker({
          now,
          random: () => 0.5,
          observe: (registry, untilMs) => this.silent.push([registry, untilMs]),
        }),
        now,
      }),
      cache,
      limits: createLimits(),
      now,
    });
    this.#resolver = createResolver({
      pullSecrets: this.cluster.pullSecrets,
      flights,
      cache,
      now,
      observe: (result) => this.observed.push(result),
    });
  }

  /** `HOST CODE` of each request that ended. */
  get ended(): readonly string[] {
    return this.#registries.observed;
  }

  pass(ms: number): void {
    this.cluster.nowMs += ms;
  }

  /** As the resolver answers: at once, or with a promise. */
  resolve(image: string, ask: Ask = {}): ReturnType<Resolver['resolve']> {
    const { namespace = 'team', pullSecrets = [], serviceAccount, deadlineMs = 2000 } = ask;
    return this.#resolver.resolve(parseReference(image), {
      identity: { namespace, pullSecrets, serviceAccount },
      deadlineAtMs: this.cluster.nowMs + deadlineMs,
      notBeforeMs: ask.notBeforeMs,
    });
  }

  /** What is known without asking anybody. */
  peek(image: string, { namespace = 'team', pullSecrets = [], serviceAccount }: Ask = {}): unknown {
    return this.#resolver.peek(parseReference(image), { namespace, pullSecrets, serviceAccount });
  }

  /** The digest, or the code of the failure. */
  async digestOf(image: string, ask: Ask = {}): Promise<string> {
    const answer = await this.resolve(image, ask);
    return answer instanceof PinError ? answer.code : answer.digest;
  }

  /** The answer where it is a failure. */
  async failureOf(image: string, ask: Ask = {}): Promise<PinError> {
    const answer = await this.resolve(image, ask);
    if (answer instanceof PinError) return answer;
    throw new Error(`resolved to ${answer.digest}`);
  }

  /** The answer where it is none. */
  async resolutionOf(image: string, ask: Ask = {}): Promise<Resolution> {
    const answer = await this.resolve(image, ask);
    if (answer instanceof PinError) throw answer;
    return answer;
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.#registries.transport.close();
  }
}
