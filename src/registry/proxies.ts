import { isIP } from 'node:net';

import { PinError } from '../errors.ts';
import { createRanges } from './addresses.ts';

/** A proxy as a variable of the environment names it. */
export interface Proxy {
  /** Without the credential. */
  readonly origin: string;
  /** Host and port, for messages. */
  readonly host: string;
  /** `Proxy-Authorization`, where the variable holds a user name. */
  readonly authorization: string | undefined;
}

/** The proxy that a URL is asked through; undefined where it is asked directly. */
export type FindProxy = (url: URL) => Proxy | undefined;

/**
 * Reads `HTTPS_PROXY`, `HTTP_PROXY` and `NO_PROXY`, or their names in lower case, which come first
 * as with curl. Loopback is always asked directly, as Go's programs do. Throws `invalid_config`,
 * which does not repeat the variable: it may hold a password.
 */
export function createProxies(
  environment: Readonly<Record<string, string | undefined>>,
): FindProxy {
  const valueOf = (name: string): string =>
    environment[name.toLowerCase()] ?? environment[name] ?? '';
  const proxies: ReadonlyMap<string, Proxy | undefined> = new Map([
    ['https:', readProxy('HTTPS_PROXY', valueOf('HTTPS_PROXY'))],
    ['http:', readProxy('HTTP_PROXY', valueOf('HTTP_PROXY'))],
  ]);
  const isDirect = readNoProxy(valueOf('NO_PROXY'));
  return (url) => {
    const proxy = proxies.get(url.protocol);
    return proxy === undefined || isDirect(url) ? undefined : proxy;
  };
}

function readProxy(name: string, value: string): Proxy | undefined {
  const text = value.trim();
  if (text === '') return undefined;
  const url = URL.parse(text.includes('://') ? text : `http://${text}`);
  const usable = url !== null && (url.protocol === 'http:' || url.protocol === 'https:');
  const authorization = usable ? readAuthorization(url) : undefined;
  if (usable && authorization !== null)
    return { origin: url.origin, host: url.host, authorization };
  throw new PinError(
    'invalid_config',
    `Cannot use ${name}: expected http://HOST:PORT or https://HOST:PORT, with USER:PASSWORD@ before the host where the proxy asks for it`,
  );
}

/** Null: the user name or password is not percent-encoded as a URL has it. */
function readAuthorization({ username, password }: URL): string | undefined | null {
  if (username === '' && password === '') return undefined;
  try {
    const pair = `${decodeURIComponent(username)}:${decodeURIComponent(password)}`;
    return `Basic ${Buffer.from(pair).toString('base64')}`;
  } catch {
    // The caller says what was expected; the text itself is a secret.
    return null;
  }
}

/** Hosts that are always asked directly. */
const LOCAL = 'localhost,127.0.0.0/8,::1';

/** One item of `NO_PROXY`. */
type Exception = (host: string, port: string) => boolean;

/** `*`, `host`, `.suffix` or `*.suffix`, an address or a range of them; a port behind all but a range. */
function readNoProxy(value: string): (url: URL) => boolean {
  const items = `${value},${LOCAL}`.split(/[\s,]+/).filter((item) => item !== '');
  const exceptions = items.map((item) => exceptionOf(item.toLowerCase()));
  return (url) => {
    const host = bare(url.hostname).replace(/\.$/, '');
    const port = url.port || (url.protocol === 'http:' ? '80' : '443');
    return exceptions.some((holds) => holds(host, port));
  };
}

function exceptionOf(item: string): Exception {
  if (isRange(item)) {
    const inRange = createRanges([item]);
    return (host) => isIP(host) !== 0 && inRange(host);
  }
  const [, name = '', wantedPort] =
    isIP(item) === 6 ? ['', item] : (/^(.*?)(?::(\d+))?$/.exec(item) ?? []);
  const onPort = (port: string): boolean => wantedPort === undefined || wantedPort === port;
  const pattern = bare(name).replace(/^\*\./, '.').replace(/\.$/, '');
  if (pattern === '*') return (_host, port) => onPort(port);
  // As with curl and Go: a plain name stands for its subdomains too, a suffix for them alone.
  const suffix = pattern.startsWith('.') ? pattern : `.${pattern}`;
  return (host, port) => onPort(port) && (host === pattern || host.endsWith(suffix));
}

/** An IPv6 address without its brackets. */
function bare(host: string): string {
  return host.replace(/^\[(.*)\]$/, '$1');
}

function isRange(item: string): boolean {
  const [address = '', bits = '', rest] = item.split('/');
  const widest = { 4: 32, 6: 128 }[isIP(address)] ?? -1;
  return rest === undefined && /^\d{1,3}$/.test(bits) && Number(bits) <= widest;
}
