import type { LookupAddress } from 'node:dns';
import { createRequire } from 'node:module';
import type { LookupFunction } from 'node:net';
import { rootCertificates, setDefaultCACertificates } from 'node:tls';
import { inspect } from 'node:util';

import { afterAll } from '@jest/globals';
import { Registry } from 'prom-client';
import type { composeEngine, Engine } from '../../src/composition/engine.ts';
import { SERVE_SETTINGS, type ServeSettings } from '../../src/config.ts';
import type { Credential } from '../../src/credentials/credential.ts';
import type { Secret } from '../../src/credentials/keyring.ts';
import { PinError } from '../../src/errors.ts';
import { parseReference } from '../../src/image/reference.ts';
import { describeError, type LogFields, type Logger } from '../../src/log.ts';
import { createCache } from '../../src/resolve/cache.ts';
import type { Resolution } from '../../src/resolve/resolver.ts';
import { createAdmissionMetrics } from '../../src/server/admission-metrics.ts';
import type { Metrics } from '../../src/server/metrics.ts';
import { createRegistryLabels } from '../../src/server/registry-labels.ts';
import { createRegistryMetrics } from '../../src/server/registry-metrics.ts';
import { createSharedCacheMetrics } from '../../src/server/shared-cache-metrics.ts';
import { readSettings } from '../../src/settings/setting.ts';
import { Canaries } from './canaries.ts';
import { type Authority, createAuthority } from './certificate.ts';
import { type ScriptedRegistry, startRegistry } from './scripted-registry.ts';

/** A server of the world, with the credential that a pull secret has for it and for nobody else. */
export interface Place extends ScriptedRegistry {
  readonly credential: Credential;
  /** The `Authorization` of that credential. */
  readonly basic: string;
  /** `team/app:1.0` there. */
  readonly image: string;
}

interface PlaceOptions {
  /** Speaks TLS, under these names; the first stands in references. Without any, plain http. */
  readonly names?: readonly string[];
  /** In place of a certificate that the world trusts. */
  readonly certificate?: { readonly cert: string; readonly key: string };
  /** Asks clients for a certificate that this authority signed. */
  readonly clientAuthority?: string;
  /** Clients without a certificate are answered, too. */
  readonly isCertificateOptional?: boolean;
  /** Whether a flag names it; true unless it is to be named by a file. */
  readonly isNamed?: boolean;
}

/** Who asks, and how. */
export interface Ask {
  readonly namespace?: string;
  /** Without it, the one secret that has a credential for each place. */
  readonly pullSecrets?: readonly string[];
  readonly deadlineMs?: number;
  readonly notBeforeMs?: number;
}

/** What a name resolves to: a function is asked anew each time, silence never ends. */
type Addresses = readonly string[] | (() => readonly string[]) | 'silence';

const NAMESPACE = 'team';
const ALL_PLACES = 'all-places';

let authority: Promise<Authority> | undefined;
let trusted = '';

/** Once a file, for reading all authorities takes its time. */
function trust(ca: string): void {
  if (trusted === ca) return;
  trusted = ca;
  setDefaultCACertificates([ca]);
}

afterAll(() => {
  if (trusted !== '') setDefaultCACertificates(rootCertificates);
});

/**
 * The whole engine, as the program plugs it together, before servers of a test. Every credential in
 * it is a canary: the end of the world fails where one was told to a server that it is not for, or
 * stands in a message or metric.
 */
export class World implements AsyncDisposable {
  readonly canaries: Canaries = new Canaries();
  /** By `namespace/name`. */
  readonly secrets: Map<string, Secret | PinError> = new Map();
  /** What DNS knows; other names are looked up for real. */
  readonly names: Map<string, Addresses> = new Map();
  /** Of the process. */
  readonly environment: Record<string, string> = { UV_THREADPOOL_SIZE: '256' };
  /** How the cache answered, in order. */
  readonly observed: string[] = [];
  /** Lines of the log: level, message and fields. */
  readonly logged: string[] = [];
  /** Moves by hand alone. */
  nowMs = 1_000_000;
  readonly #flags: Partial<Record<keyof ServeSettings, string>> = {};
  readonly #places: Place[] = [];
  readonly #after: AsyncDisposableStack = new AsyncDisposableStack();
  #engine: Promise<Engine> | undefined;
  #metrics: Metrics | undefined;

  /** A server, which answers nothing yet. */
  async place(options: PlaceOptions = {}): Promise<Place> {
    const server = await this.#listen(options);
    const host = this.#hostOf(server, options);
    const credential = this.canaries.credential();
    const { username, password } = credential;
    const origin = `${options.names === undefined ? 'http' : 'https'}://${host}`;
    const basic = `Basic ${btoa(`${username}:${password}`)}`;
    const place = { ...server, host, origin, credential, basic, image: `${host}/team/app:1.0` };
    this.canaries.entrust(credential, place);
    this.#places.push(place);
    return place;
  }

  async #listen(options: PlaceOptions): Promise<ScriptedRegistry> {
    const { names, certificate } = options;
    if (names === undefined) return this.#after.use(await startRegistry([]));
    authority ??= createAuthority();
    const { certificate: ca, issue } = await authority;
    const pair = certificate ?? (await issue([...names, '127.0.0.1']));
    trust(ca);
    return this.#after.use(await startRegistry([], { ...pair, ...asking(options) }));
  }

  /** What stands in references, known to DNS, and named by a flag. */
  #hostOf({ host, port }: ScriptedRegistry, { names, isNamed = true }: PlaceOptions): string {
    if (names === undefined) {
      if (isNamed) this.#add('plainHttp', host);
      return host;
    }
    for (const name of names) {
      this.names.set(name, ['127.0.0.1']);
      if (isNamed) this.#add('allowRegistry', `${name}:${port}`);
    }
    return `${names[0] ?? host}:${port}`;
  }

  /** A setting of `tagpin serve`, as text, before the first question. */
  set(name: keyof ServeSettings, text: string): void {
    if (this.#engine !== undefined) throw new Error('the engine is running already');
    this.#flags[name] = text;
  }

  /** A pull secret with credentials by host. */
  secret(
    name: string,
    auths: Readonly<Record<string, Credential>>,
    namespace: string = NAMESPACE,
  ): void {
    this.secrets.set(`${namespace}/${name}`, dockerConfigJson(name, auths));
  }

  pass(ms: number): void {
    this.nowMs += ms;
  }

  /** What happens to `thing` when the world ends. */
  use<T extends AsyncDisposable>(thing: T): T {
    return this.#after.use(thing);
  }

  /** The answer of the engine, whatever it is. */
  async resolve(image: string, ask: Ask = {}): Promise<Resolution | PinError> {
    const { namespace = NAMESPACE, pullSecrets = [ALL_PLACES], deadlineMs = 2000 } = ask;
    const { resolver } = await this.#started();
    const answer = await resolver.resolve(parseReference(image), {
      identity: { namespace, pullSecrets, serviceAccount: undefined },
      deadlineAtMs: this.nowMs + deadlineMs,
      notBeforeMs: ask.notBeforeMs,
    });
    this.canaries.overhear(`the answer for ${image}`, inspect(answer, { depth: 8 }));
    if (answer instanceof PinError) {
      this.canaries.overhear(`the log for ${image}`, JSON.stringify(describeError(answer)));
    }
    return answer;
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

  /** What Prometheus would read. */
  async metrics(): Promise<string> {
    await this.#started();
    return (await this.#metrics?.text()) ?? '';
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#metrics !== undefined) this.canaries.overhear('a metric', await this.#metrics.text());
    if (this.#engine !== undefined) await (await this.#engine).close();
    await this.#after.disposeAsync();
    const leaks = this.canaries.leaks(this.#places);
    if (leaks.length > 0) throw new Error(`A credential leaked: ${leaks.join('; ')}`);
  }

  readonly #log: Logger = {
    info: (fields, message) => this.#logLine('info', fields, message),
    warn: (fields, message) => this.#logLine('warn', fields, message),
    error: (fields, message) => this.#logLine('error', fields, message),
  };

  #logLine(level: string, fields: LogFields, message: string): void {
    const line = `${level} ${message} ${JSON.stringify(fields)}`;
    this.logged.push(line);
    this.canaries.overhear('the log', line);
  }

  #add(name: 'allowRegistry' | 'plainHttp', host: string): void {
    this.set(name, [this.#flags[name], host].filter((one) => one !== undefined).join(','));
  }

  #started(): Promise<Engine> {
    this.#engine ??= this.#start();
    return this.#engine;
  }

  async #start(): Promise<Engine> {
    const compose = await engineBeforeNames(this.names);
    const flags = { allowAddress: '127.0.0.0/8,::1/128', ...this.#flags };
    const settings = readSettings(SERVE_SETTINGS, { flags, environment: {} });
    const cache = createCache({
      ttlMs: settings.cacheTtl,
      staleIfErrorMs: settings.staleIfError,
      random: () => 0,
    });
    const now = (): number => this.nowMs;
    const metrics = worldMetrics(now);
    this.#metrics = metrics;
    const cacheResult = (result: string): void => {
      this.observed.push(result);
      metrics.cacheResult(result);
    };
    return compose(settings, {
      cache,
      reader: {
        readSecret: async (namespace, name) => this.#secretOf(namespace, name),
        readPullSecretNames: async () => [],
      },
      metrics: { ...metrics, cacheResult },
      userAgent: 'tagpin/test',
      environment: this.environment,
      log: this.#log,
      now,
    });
  }

  #secretOf(namespace: string, name: string): Secret | undefined {
    const found = this.secrets.get(`${namespace}/${name}`);
    if (found instanceof PinError) throw found;
    if (found !== undefined || namespace !== NAMESPACE || name !== ALL_PLACES) return found;
    const auths = this.#places.map(({ host, credential }) => [host, credential]);
    return dockerConfigJson(name, Object.fromEntries(auths));
  }
}

/** All metrics but those of the process, whose observers would outlive the world. */
function worldMetrics(now: () => number): Metrics {
  const register = new Registry();
  const labels = createRegistryLabels();
  return {
    ...createAdmissionMetrics(register, labels),
    ...createRegistryMetrics(register, labels, now),
    ...createSharedCacheMetrics(register),
    certificateExpiry: () => {},
    webhookEntries: () => {},
    audited: () => {},
    snapshotWrite: () => {},
    event: () => {},
    text: () => register.metrics(),
    contentType: register.contentType,
  };
}

/** The body of a test in a world of its own, at whose end no canary may be where it must not. */
export function inWorld<T extends readonly unknown[]>(
  body: (world: World, ...row: T) => Promise<void>,
): (...row: T) => Promise<void> {
  return async (...row) => {
    await using world = new World();
    await body(world, ...row);
  };
}

function dockerConfigJson(name: string, auths: Readonly<Record<string, Credential>>): Secret {
  return {
    type: 'kubernetes.io/dockerconfigjson',
    data: { '.dockerconfigjson': btoa(JSON.stringify({ auths })) },
    metadata: { name },
  };
}

function asking({ clientAuthority: ca, isCertificateOptional = false }: PlaceOptions): {
  readonly requestCert?: true;
  readonly rejectUnauthorized?: boolean;
  readonly ca?: string;
} {
  return ca === undefined
    ? {}
    : { requestCert: true, rejectUnauthorized: !isCertificateOptional, ca };
}

let namesOfNow: ReadonlyMap<string, Addresses> = new Map();

/** The engine is loaded while Node's DNS is exchanged for one that knows the names of a test. */
async function engineBeforeNames(
  names: ReadonlyMap<string, Addresses>,
): Promise<typeof composeEngine> {
  namesOfNow = names;
  const dns = createRequire(import.meta.url)('node:dns') as { lookup: LookupFunction };
  const { lookup } = dns;
  dns.lookup = (hostname, options, callback) => {
    const known = namesOfNow.get(hostname);
    if (known === undefined) return lookup(hostname, options, callback);
    if (known === 'silence') return;
    const found = (typeof known === 'function' ? known() : known).map(
      (address): LookupAddress => ({ address, family: address.includes(':') ? 6 : 4 }),
    );
    setImmediate(() => callback(null, found));
  };
  try {
    return (await import('../../src/composition/engine.ts')).composeEngine;
  } finally {
    dns.lookup = lookup;
  }
}
