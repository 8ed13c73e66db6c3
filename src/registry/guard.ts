import { lookup as systemLookup } from 'node:dns';
import { BlockList, isIP, type LookupFunction } from 'node:net';

import { PinError } from '../errors.ts';
import { compileGlobs } from '../image/glob.ts';

/** What the operator allows beyond public addresses and port 443. */
export interface GuardOptions {
  readonly plainHttp: readonly string[];
  readonly allowRegistry: readonly string[];
  readonly allowAddress: readonly string[];
}

/**
 * Decides which addresses may be dialled. A pod author chooses the host names, so every address of
 * a DNS answer is looked at when the connection is made, not before: a second answer may differ.
 */
export interface Guard {
  /**
   * Throws `blocked_address` with the flag that would allow it. What the operator's own files name,
   * they allow: its scheme, its port and private addresses.
   */
  readonly checkUrl: (url: URL, named?: boolean) => void;
  /** A resolver for connections to this URL's host that yields vetted addresses only. */
  readonly lookupFor: (url: URL, named?: boolean) => LookupFunction;
}

/** The ranges of RFC 6890 and of the clouds' metadata services that are no registry's, ever. */
const NEVER = [
  '0.0.0.0/8',
  // Oracle's older metadata service lies in it.
  '192.0.0.0/24',
  '169.254.0.0/16',
  '224.0.0.0/4',
  '240.0.0.0/4',
  '100.100.100.200/32',
  '168.63.129.16/32',
  '::/128',
  'fe80::/10',
  'ff00::/8',
  'fd00:ec2::254/128',
  'fd20:ce::254/128',
];
const LOOPBACK = ['127.0.0.0/8', '::1/128'];
const PRIVATE = [
  '10.0.0.0/8',
  '172.16.0.0/12',
  '192.168.0.0/16',
  '100.64.0.0/10',
  '198.18.0.0/15',
  'fc00::/7',
  'fec0::/10',
  // NAT64 with a prefix of the site's own choice (RFC 8215): what lies behind cannot be read off it.
  '64:ff9b:1::/48',
];

/** Names that stand for a metadata service whatever they resolve to. */
const METADATA_NAMES = new Set(['metadata.google.internal', 'metadata.google.internal.']);

export function createGuard(options: GuardOptions): Guard {
  const isPlain = hostsOf(options.plainHttp, 80);
  const isAllowed = hostsOf(options.allowRegistry, 443);
  const isNamed = (url: URL): boolean => isPlain(url) || isAllowed(url);
  const never = blockListOf(NEVER);
  const loopback = blockListOf(LOOPBACK);
  const privately = blockListOf(PRIVATE);
  const allowed = blockListOf(options.allowAddress);

  const fault = (address: string, named: boolean): string | undefined => {
    const family = isIP(address) === 6 ? 'ipv6' : 'ipv4';
    if (never.check(address, family)) return 'a link-local, metadata or reserved address';
    if (allowed.check(address, family)) return undefined;
    if (loopback.check(address, family)) return 'a loopback address (--allow-address allows it)';
    if (named || !privately.check(address, family)) return undefined;
    return 'a private address (--allow-registry allows this registry)';
  };

  return {
    checkUrl: (url, named = false) =>
      checkUrl(url, {
        plain: named || isPlain(url),
        named: named || isNamed(url),
        allowed,
        fault,
      }),
    lookupFor: (url, named = false) =>
      vettedLookup(url, (address) => fault(address, named || isNamed(url))),
  };
}

/** Reads globs of `HOST[:PORT]`, with the port that stands for none. */
function hostsOf(globs: readonly string[], port: number): (url: URL) => boolean {
  const matches = compileGlobs(globs.map((glob) => withPort(glob, port)));
  return (url) => matches(`${url.hostname}:${portOf(url)}`);
}

function withPort(host: string, port: number): string {
  const text = host.toLowerCase();
  return /:(\d+|\*)$/.test(text) ? text : `${text}:${port}`;
}

function portOf(url: URL): string {
  return url.port || (url.protocol === 'http:' ? '80' : '443');
}

interface Rules {
  readonly plain: boolean;
  readonly named: boolean;
  readonly allowed: BlockList;
  readonly fault: (address: string, named: boolean) => string | undefined;
}

function checkUrl(url: URL, { plain, named, allowed, fault }: Rules): void {
  const literal = url.hostname.replace(/^\[(.*)\]$/, '$1');
  const family = isIP(literal);
  const opened = named || (family !== 0 && allowed.check(literal, family === 6 ? 'ipv6' : 'ipv4'));
  const secure = url.protocol === 'https:';
  const address = family === 0 ? undefined : fault(literal, named);
  const rules: readonly (readonly [boolean, string])[] = [
    [METADATA_NAMES.has(url.hostname), 'it names a metadata service'],
    [url.username !== '' || url.password !== '', 'it holds a user name'],
    [
      !secure && !(url.protocol === 'http:' && plain),
      'it does not speak https (--plain-http allows it)',
    ],
    [address !== undefined, `it is ${address}`],
    [
      portOf(url) !== '443' && !opened,
      `its port is not 443 (--allow-registry ${url.host} allows it)`,
    ],
  ];
  const broken = rules.find(([holds]) => holds);
  if (broken !== undefined) throw blocked(url, broken[1]);
}

function vettedLookup(url: URL, fault: (address: string) => string | undefined): LookupFunction {
  return (hostname, options, callback) => {
    systemLookup(hostname, { ...options, all: true }, (error, addresses) => {
      if (error !== null) return callback(error, []);
      const why = addresses.map(({ address }) => fault(address)).find((text) => text !== undefined);
      if (why !== undefined) return callback(blocked(url, `it resolves to ${why}`), []);
      const first = addresses[0];
      if (options.all === true || first === undefined) return callback(null, addresses);
      return callback(null, first.address, first.family);
    });
  };
}

function blocked(url: URL, why: string): PinError {
  return new PinError('blocked_address', `${url.host} is not asked: ${why}`, {
    host: url.hostname,
  });
}

/** IPv4 ranges also in the forms in which NAT64 (RFC 6052) and 6to4 (RFC 3056) wrap them. */
function blockListOf(ranges: readonly string[]): BlockList {
  const list = new BlockList();
  for (const range of ranges) {
    const [address = '', bits = ''] = range.split('/');
    if (isIP(address) === 6) {
      list.addSubnet(address, Number(bits), 'ipv6');
      continue;
    }
    const [a = 0, b = 0, c = 0, d = 0] = address.split('.').map(Number);
    const [high, low] = [a * 256 + b, c * 256 + d].map((part) => part.toString(16));
    list.addSubnet(address, Number(bits), 'ipv4');
    list.addSubnet(`64:ff9b::${high}:${low}`, 96 + Number(bits), 'ipv6');
    list.addSubnet(`2002:${high}:${low}::`, 16 + Number(bits), 'ipv6');
  }
  return list;
}
