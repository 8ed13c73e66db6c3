import { isAbsolute, join, posix } from 'node:path';

import type { JsonObject } from '../../json.ts';
import type { TlsFiles } from './tls-files.ts';
import { flagIn, invalid, listIn, parseToml, tableFrom, textFrom, textIn } from './toml.ts';

/** One host of a `hosts.toml`, or what the file says of the registry itself. */
export interface HostEntry {
  /** Undefined for the registry that the image names. */
  readonly server: HostServer | undefined;
  /** Whether it may tell the digest of a tag: containerd asks for `pull` and `resolve`. */
  readonly resolves: boolean;
  readonly tls: TlsFiles;
  /** Names in lower case. */
  readonly headers: Readonly<Record<string, string>>;
  /** Milliseconds. */
  readonly connectTimeoutMs: number | undefined;
}

interface HostServer {
  readonly url: URL;
  /** What stands before the repository in a path. */
  readonly root: string;
}

const CAPABILITIES: ReadonlySet<string> = new Set(['pull', 'resolve', 'push', 'referrers']);
/** RFC 9110 sections 5.6.2 and 5.5, without the bytes above ASCII. */
const HEADER_NAME = /^[\w!#$%&'*+.^`|~-]+$/;
const HEADER_VALUE = /^[\t\x20-\x7e]*$/;

/**
 * Reads a `hosts.toml` as containerd 2 does (core/remotes/docker/config/hosts.go): the hosts in the
 * order of the file, then what stands at its root. Paths are relative to `directory`. Of several
 * client certificates the first counts. Throws `invalid_config`.
 */
export function parseHostsToml(text: string, directory: string): readonly HostEntry[] {
  const root = parseToml(text);
  const hosts = root['host'] === undefined ? {} : tableFrom(root['host'], 'host');
  const mirrors = Object.entries(hosts).map(([server, table]) =>
    entryOf(server, tableFrom(table, 'host'), directory),
  );
  const server = textIn(root, 'server') ?? '';
  const last = entryOf(server, root, directory);
  // Without a server the registry itself is last, and may do everything.
  return [...mirrors, server === '' ? { ...last, resolves: true } : last];
}

function entryOf(server: string, table: JsonObject, directory: string): HostEntry {
  const absolute = (path: string): string => (isAbsolute(path) ? path : join(directory, path));
  const overridePath = flagIn(table, 'override_path') ?? false;
  const client = clientOf(table['client'], absolute);
  const skipVerify = flagIn(table, 'skip_verify');
  return {
    server: server === '' ? undefined : serverOf(server, overridePath),
    resolves: resolves(table),
    tls: {
      ca: authoritiesOf(table['ca']).map(absolute),
      ...(client && { client }),
      ...(skipVerify !== undefined && { skipVerify }),
    },
    headers: headersOf(table['header']),
    connectTimeoutMs: timeoutOf(textIn(table, 'dial_timeout') ?? ''),
  };
}

function serverOf(server: string, overridePath: boolean): HostServer {
  const url = URL.parse(/^https?:\/\//.test(server) ? server : `https://${server}`);
  if (url === null || url.username !== '' || url.password !== '') {
    throw invalid(`${JSON.stringify(url === null ? server : url.host)} is no address of a host`);
  }
  const path = posix.normalize(url.pathname).replace(/\/$/, '');
  return { url, root: overridePath || path.endsWith('/v2') ? path : `${path}/v2` };
}

function resolves(table: JsonObject): boolean {
  const listed = listIn(table, 'capabilities').map((value) =>
    textFrom(value, 'capabilities').toLowerCase(),
  );
  const unknown = listed.find((capability) => !CAPABILITIES.has(capability));
  if (unknown !== undefined) throw invalid(`${JSON.stringify(unknown)} is no capability`);
  return listed.length === 0 || (listed.includes('pull') && listed.includes('resolve'));
}

function authoritiesOf(value: unknown): readonly string[] {
  if (value === undefined) return [];
  return Array.isArray(value) ? value.map((item) => textFrom(item, 'ca')) : [textFrom(value, 'ca')];
}

/** A file, a list of files, or a list of pairs of files. */
function clientOf(value: unknown, absolute: (path: string) => string): TlsFiles['client'] {
  if (value === undefined) return undefined;
  const pairs = (Array.isArray(value) ? value : [value]).map((item: unknown) => {
    if (!Array.isArray(item)) return [textFrom(item, 'client'), ''];
    if (item.length !== 2) throw invalid('"client" holds what is no pair');
    return item.map((part) => textFrom(part, 'client'));
  });
  const [cert, key] = pairs[0] ?? [];
  if (cert === undefined) return undefined;
  return { cert: absolute(cert), ...(key && { key: absolute(key) }) };
}

function headersOf(value: unknown): Readonly<Record<string, string>> {
  if (value === undefined) return {};
  const headers = Object.entries(tableFrom(value, 'header')).map(([name, held]) => {
    const values = (Array.isArray(held) ? held : [held]).map((item) => textFrom(item, 'header'));
    // RFC 9110 section 5.3: several lines of one name are one line with commas.
    const text = values.join(', ');
    if (!HEADER_NAME.test(name) || !HEADER_VALUE.test(text)) throw invalid('"header" is no header');
    return [name.toLowerCase(), text] as const;
  });
  return Object.fromEntries(headers);
}

const UNIT_MS: Readonly<Record<string, number>> = {
  ns: 1e-6,
  us: 1e-3,
  µs: 1e-3,
  ms: 1,
  s: 1000,
  m: 60_000,
  h: 3_600_000,
};

/** A duration of Go's time.ParseDuration in milliseconds; none where it is nought, as Go's dialer has it. */
function timeoutOf(text: string): number | undefined {
  if (text === '' || text === '0') return undefined;
  const parts = [...text.matchAll(/(\d+(?:\.\d*)?|\.\d+)(ns|us|µs|ms|s|m|h)/g)];
  if (parts.map(([part]) => part).join('') !== text) throw invalid('"dial_timeout" is no duration');
  const sumMs = parts.reduce((sum, [, n, unit = '']) => sum + Number(n) * (UNIT_MS[unit] ?? 0), 0);
  return sumMs === 0 ? undefined : Math.ceil(sumMs);
}
