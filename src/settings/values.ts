import { isIP } from 'node:net';

import type { Parse } from './setting.ts';

export function parseText(text: string): string {
  if (text === '') throw new Error('expected a value, got an empty text');
  return text;
}

export function parseList(text: string): readonly string[] {
  return text
    .split(',')
    .map((item) => item.trim())
    .filter((item) => item !== '');
}

export function parseBoolean(text: string): boolean {
  if (text === 'true' || text === 'false') return text === 'true';
  throw new Error(`expected "true" or "false", got ${JSON.stringify(text)}`);
}

/** A whole number between two others, which belong to it. */
export function parseCountIn(least: number, most: number): (text: string) => number {
  return (text) => {
    const count = Number(text);
    if (/^\d{1,15}$/.test(text) && count >= least && count <= most) return count;
    throw new Error(`expected a number from ${least} to ${most}, got ${JSON.stringify(text)}`);
  };
}

/** A place to listen on. */
export interface ListenAddress {
  readonly host: string;
  /** 0 takes a free port. */
  readonly port: number;
}

export function parseListenAddress(text: string): ListenAddress {
  const colon = text.lastIndexOf(':');
  const port = Number(text.slice(colon + 1));
  const host = text.slice(0, colon).replace(/^\[(.*)\]$/, '$1');
  if (colon === -1 || host === '' || !/^\d{1,5}$/.test(text.slice(colon + 1)) || port > 65_535) {
    throw new Error(`expected HOST:PORT, got ${JSON.stringify(text)}`);
  }
  return { host, port };
}

/** Those that a forwarded port has, and by which alone a page answers; others of 127.0.0.0/8 would be odd. */
const LOOPBACK = new Set(['localhost', '127.0.0.1', '::1']);

/** A place that this machine alone can reach, or `off`: nowhere. */
export function parseLoopbackAddress(text: string): ListenAddress | undefined {
  if (text === 'off') return undefined;
  const address = parseListenAddress(text);
  if (LOOPBACK.has(address.host)) return address;
  throw new Error(
    `expected a loopback address such as 127.0.0.1:6060, or "off", got ${JSON.stringify(text)}`,
  );
}

const UNIT_MS: Readonly<Record<string, number>> = { ms: 1, s: 1000, m: 60_000, h: 3_600_000 };

/** Node's timers fire at once when they are set for longer. */
const MAX_DURATION_MS = 2 ** 31 - 1;

/** `60s`, `1h`, `500ms`, `1h30m` to milliseconds. */
export function parseDurationMs(text: string): number {
  const durationMs = parseLongDurationMs(text);
  if (durationMs > MAX_DURATION_MS) throw new Error(`expected at most 596h, got ${text}`);
  return durationMs;
}

/** The same for what no timer waits for. */
export function parseLongDurationMs(text: string): number {
  const parts = [...text.matchAll(/(\d+)(ms|s|m|h)/g)];
  if (text === '' || parts.map(([part]) => part).join('') !== text) {
    throw new Error(`expected a duration such as 60s or 1h, got ${JSON.stringify(text)}`);
  }
  return parts.reduce(
    (sum, [, count, unit]) => sum + Number(count) * (UNIT_MS[unit ?? ''] ?? 0),
    0,
  );
}

export function parseCidrs(text: string): readonly string[] {
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

/** An IPv6 address stands in brackets, as in a URL; `*` is any text. */
const HOST = /^(?:\[[^\]/\s]+\]|[^:/[\]\s]+)(?::(?:\d{1,5}|\*))?$/;

/** `HOST[:PORT]` items, with what could never fit a registry refused: a scheme, a path. */
export function parseHosts(text: string): readonly string[] {
  const list = parseList(text);
  const wrong = list.find((item) => !HOST.test(item));
  if (wrong === undefined) return list;
  const shown = isIP(wrong) === 6 ? `[${wrong}]` : 'registry.example.com:5000';
  throw new Error(`expected HOST[:PORT] such as ${shown}, got ${JSON.stringify(wrong)}`);
}

/** `GROUP/KIND` items: `apps/Deployment`; `/Pod` for what has no group. */
export function parseKinds(text: string): readonly string[] {
  const list = parseList(text);
  const wrong = list.find((item) => !/^[a-z0-9.-]*\/[A-Z][A-Za-z0-9]*$/.test(item));
  if (wrong === undefined) return list;
  throw new Error(`expected GROUP/KIND such as example.com/Database, got ${JSON.stringify(wrong)}`);
}

/** `HOST=FILE` items; they stay text, as a host holds no `=`. */
export function parseFilesByHost(text: string): readonly string[] {
  const list = parseList(text);
  const wrong = list.find((item) => !/^[^=]+=.+$/.test(item));
  if (wrong === undefined) return list;
  throw new Error(`expected HOST=FILE, got ${JSON.stringify(wrong)}`);
}

/** Any of the choices, with commas between them. */
export function choicesOf<T extends string>(
  ...choices: readonly T[]
): (text: string) => readonly T[] {
  const parse = choiceOf(...choices);
  return (text) => parseList(text).map(parse);
}

export function choiceOf<T extends string>(...choices: readonly T[]): Parse<T> {
  const parse = (text: string): T => {
    const choice = choices.find((candidate) => candidate === text);
    if (choice !== undefined) return choice;
    throw new Error(
      `expected ${choices.map((c) => `"${c}"`).join(' or ')}, got ${JSON.stringify(text)}`,
    );
  };
  return Object.assign(parse, { choices });
}
