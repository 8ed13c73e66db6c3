import { isIP } from 'node:net';

import { PinError } from './errors.ts';
import type { ReferenceForm } from './image/reference.ts';
import type { LogLevel } from './log.ts';

/** A place to listen on. */
export interface ListenAddress {
  readonly host: string;
  /** 0 takes a free port. */
  readonly port: number;
}

/** What every command that talks to a registry is told. */
export interface RegistrySettings {
  readonly plainHttp: readonly string[];
  readonly allowAddress: readonly string[];
  readonly allowRegistry: readonly string[];
}

/** The settings of `tagpin serve`. */
export interface ServeSettings extends RegistrySettings {
  readonly listen: ListenAddress;
  readonly operationsListen: ListenAddress;
  readonly tlsCert: string;
  readonly tlsKey: string;
  readonly kubeconfig: string | undefined;
  readonly cluster: boolean;
  readonly cacheTtl: number;
  readonly staleIfError: number;
  readonly referenceForm: ReferenceForm;
  readonly skip: readonly string[];
  readonly allowSkipInEnforce: boolean;
  readonly drainTime: number;
  readonly logLevel: LogLevel;
}

/** One row of the table: flag, variable, help and documentation all come from it. */
export interface Setting<T> {
  /** The flag with the shape of its value: `--cache-ttl DURATION`. */
  readonly flag: string;
  /** The value in the spelling of the flag; undefined where there is none. */
  readonly fallback: string | undefined;
  readonly text: string;
  /** Throws an Error whose message says what was expected. */
  readonly parse: (text: string) => T;
}

export type Settings<T> = { readonly [K in keyof T]: Setting<T[K]> };

export const REGISTRY_SETTINGS: Settings<RegistrySettings> = {
  plainHttp: {
    flag: '--plain-http HOST[:PORT],…',
    fallback: '',
    text: 'Registries that speak http without TLS; without a port, port 80. They may have private addresses.',
    parse: parseList,
  },
  allowAddress: {
    flag: '--allow-address CIDR,…',
    fallback: '',
    text: 'Addresses that an image may name as a literal, and loopback addresses that a name may resolve to.',
    parse: parseCidrs,
  },
  allowRegistry: {
    flag: '--allow-registry HOST[:PORT],…',
    fallback: '',
    text: 'Registries (with * for any text) that may have private addresses; without a port, port 443.',
    parse: parseList,
  },
};

export const SERVE_SETTINGS: Settings<ServeSettings> = {
  listen: {
    flag: '--listen HOST:PORT',
    fallback: '0.0.0.0:8443',
    text: 'Where the API server calls the webhook, over TLS.',
    parse: parseListenAddress,
  },
  operationsListen: {
    flag: '--operations-listen HOST:PORT',
    fallback: '0.0.0.0:9090',
    text: 'Where /metrics, /healthz and /readyz are, over plain http.',
    parse: parseListenAddress,
  },
  tlsCert: {
    flag: '--tls-cert FILE',
    fallback: '/certs/tls.crt',
    text: 'The certificate chain, PEM. Read again when it changes.',
    parse: parseText,
  },
  tlsKey: {
    flag: '--tls-key FILE',
    fallback: '/certs/tls.key',
    text: 'The private key of the certificate, PEM. Read again when it changes.',
    parse: parseText,
  },
  kubeconfig: {
    flag: '--kubeconfig FILE',
    fallback: undefined,
    text: "How to reach the API server; without it the Pod's own ServiceAccount is used.",
    parse: parseText,
  },
  cluster: {
    flag: '--no-cluster',
    fallback: 'true',
    text: 'Read no Secret and no ServiceAccount: every registry is asked without credentials.',
    parse: parseBoolean,
  },
  ...REGISTRY_SETTINGS,
  cacheTtl: {
    flag: '--cache-ttl DURATION',
    fallback: '60s',
    text: 'How long a digest is fresh.',
    parse: parseDurationMs,
  },
  staleIfError: {
    flag: '--stale-if-error DURATION',
    fallback: '1h',
    text: 'How old the last known digest may be that answers for a registry that does not.',
    parse: parseDurationMs,
  },
  referenceForm: {
    flag: '--reference-form FORM',
    fallback: 'digest',
    text: 'What is written: "digest" (repo@sha256:…) or "tag-and-digest" (repo:tag@sha256:…).',
    parse: choiceOf<ReferenceForm>('digest', 'tag-and-digest'),
  },
  skip: {
    flag: '--skip GLOBS',
    fallback: 'kind.local/*,ko.local/*,dev.local/*,localhost/*,localhost:*/*',
    text: 'Images never looked up: globs on the normalised name (docker.io/library/nginx), with * for any text.',
    parse: parseList,
  },
  allowSkipInEnforce: {
    flag: '--allow-skip-in-enforce',
    fallback: 'false',
    text: 'Honour the skip annotation in namespaces of mode "enforce" too; the policy must as well (component skip-in-enforce).',
    parse: parseBoolean,
  },
  drainTime: {
    flag: '--drain-time DURATION',
    fallback: '10s',
    text: 'How long calls are still served after SIGTERM, while the endpoint disappears from the Service.',
    parse: parseDurationMs,
  },
  logLevel: {
    flag: '--log-level LEVEL',
    fallback: 'info',
    text: 'The least severe lines to write: "info", "warn", "error" or "silent".',
    parse: choiceOf<LogLevel>('info', 'warn', 'error', 'silent'),
  },
};

/** The environment variable of a setting: `--cache-ttl` is `TAGPIN_CACHE_TTL`. */
export function variableOf(setting: Setting<unknown>): string {
  const name = setting.flag.split(' ')[0] ?? '';
  return `TAGPIN_${name
    .replace(/^--(no-)?/, '')
    .replaceAll('-', '_')
    .toUpperCase()}`;
}

/** Where a value may come from: flags first, then the environment, then the table. */
export interface SettingSources {
  /** By the name of the setting; the value as text. */
  readonly flags: Readonly<Record<string, string | undefined>>;
  readonly environment: Readonly<Record<string, string | undefined>>;
}

/** Reads all settings; throws one `invalid_config` that names every problem. */
export function readSettings<T>(settings: Settings<T>, sources: SettingSources): T {
  const values: Record<string, unknown> = {};
  const problems: string[] = [];
  for (const [name, setting] of Object.entries<Setting<unknown>>(settings)) {
    const text =
      sources.flags[name] ?? sources.environment[variableOf(setting)] ?? setting.fallback;
    try {
      values[name] = text === undefined ? undefined : setting.parse(text);
    } catch (caught) {
      const flag = setting.flag.split(' ')[0];
      problems.push(
        `${flag} (${variableOf(setting)}): ${Error.isError(caught) ? caught.message : String(caught)}`,
      );
    }
  }
  if (problems.length > 0) {
    throw new PinError(
      'invalid_config',
      `Cannot start with these settings: ${problems.join('; ')}`,
    );
  }
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- the loop set every name of T
  return Object.freeze(values) as T;
}

function parseText(text: string): string {
  if (text === '') throw new Error('expected a value, got an empty text');
  return text;
}

function parseList(text: string): readonly string[] {
  return text
    .split(',')
    .map((item) => item.trim())
    .filter((item) => item !== '');
}

function parseBoolean(text: string): boolean {
  if (text === 'true' || text === 'false') return text === 'true';
  throw new Error(`expected "true" or "false", got ${JSON.stringify(text)}`);
}

function parseListenAddress(text: string): ListenAddress {
  const colon = text.lastIndexOf(':');
  const port = Number(text.slice(colon + 1));
  const host = text.slice(0, colon).replace(/^\[(.*)\]$/, '$1');
  if (colon === -1 || host === '' || !/^\d{1,5}$/.test(text.slice(colon + 1)) || port > 65_535) {
    throw new Error(`expected HOST:PORT, got ${JSON.stringify(text)}`);
  }
  return { host, port };
}

const UNIT_MS: Readonly<Record<string, number>> = { ms: 1, s: 1000, m: 60_000, h: 3_600_000 };

/** Node's timers fire at once when they are set for longer. */
const MAX_DURATION_MS = 2 ** 31 - 1;

/** `60s`, `1h`, `500ms`, `1h30m` to milliseconds. */
function parseDurationMs(text: string): number {
  const parts = [...text.matchAll(/(\d+)(ms|s|m|h)/g)];
  if (text === '' || parts.map(([part]) => part).join('') !== text) {
    throw new Error(`expected a duration such as 60s or 1h, got ${JSON.stringify(text)}`);
  }
  const durationMs = parts.reduce(
    (sum, [, count, unit]) => sum + Number(count) * (UNIT_MS[unit ?? ''] ?? 0),
    0,
  );
  if (durationMs > MAX_DURATION_MS) throw new Error(`expected at most 596h, got ${text}`);
  return durationMs;
}

function parseCidrs(text: string): readonly string[] {
  const list = parseList(text);
  for (const item of list) {
    const [address = '', bits = '', rest] = item.split('/');
    const widest = { 4: 32, 6: 128 }[isIP(address)];
    // A zone (fe80::1%eth0) belongs to one machine, and to no range.
    const valid =
      rest === undefined &&
      !address.includes('%') &&
      /^\d{1,3}$/.test(bits) &&
      widest !== undefined;
    if (!valid || Number(bits) > widest) {
      throw new Error(`expected addresses such as 10.0.0.0/8, got ${JSON.stringify(item)}`);
    }
  }
  return list;
}

function choiceOf<T extends string>(...choices: readonly T[]): (text: string) => T {
  return (text) => {
    const choice = choices.find((candidate) => candidate === text);
    if (choice !== undefined) return choice;
    throw new Error(
      `expected ${choices.map((c) => `"${c}"`).join(' or ')}, got ${JSON.stringify(text)}`,
    );
  };
}

/** The environment of the process: the only place that reads it. */
export function processEnvironment(): SettingSources['environment'] {
  // oxlint-disable-next-line node/no-process-env -- here and nowhere else
  return process.env;
}
