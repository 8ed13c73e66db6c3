import { isIP, type LookupFunction } from 'node:net';

import { PinError } from '../errors.ts';
import { createAddressKinds, createRanges, LOOPBACK } from './addresses.ts';
import { changingHostsOf, hostsOf } from './host-globs.ts';
import {
  createNameLookups,
  type LookUpName,
  type NameQuestion,
  nameSlotsOf,
  type ResolveName,
} from './name-lookups.ts';
import { resolveBySystem } from './system-names.ts';

/** What the operator allows beyond public addresses and port 443. */
export interface GuardOptions {
  readonly plainHttp: readonly string[];
  /** Registries beyond `plainHttp` that may go without TLS. */
  readonly speaksHttp?: (url: URL) => boolean;
  readonly allowRegistry: readonly string[];
  readonly allowAddress: readonly string[];
  /** More of `allowRegistry`: another list once it has changed. */
  readonly moreRegistries?: () => readonly string[];
  /** In place of the system's resolver. */
  readonly resolveName?: ResolveName;
  /** How many names are looked up at once; what libuv has by itself where it is absent. */
  readonly nameSlots?: number;
}

/** On whose word a URL is asked; an image's where both are absent. */
export interface Word {
  /**
   * What the operator's own files name, they allow: its scheme, its port and private addresses.
   */
  readonly byFile?: boolean | undefined;
  /** Who led to it without the right to: then nothing is allowed that the flags allow by its name. */
  readonly stranger?: URL | undefined;
}

/** A connection that is to be made. */
interface Dial extends Word, Pick<NameQuestion, 'timeoutMs' | 'mayBeOld'> {}

/**
 * Decides which addresses may be dialled. A pod author chooses the host names, so every address of
 * a DNS answer is looked at when the connection is made, not before: a second answer may differ.
 */
export interface Guard {
  /** Throws `blocked_address` with the flag that would allow it. */
  readonly checkUrl: (url: URL, word?: Word) => void;
  /** Whether a flag names this URL's host and port, so that its addresses may be private. */
  readonly isNamed: (url: URL) => boolean;
  /** A resolver for connections to this URL's host that yields vetted addresses only. */
  readonly lookupFor: (url: URL, dial: Dial) => LookupFunction;
}

/**
 * Names that stand for a metadata service whatever they resolve to: behind a proxy it is the proxy
 * that asks DNS. The short ones are completed by the search domains of Google's and Amazon's hosts.
 */
const METADATA_NAMES: ReadonlySet<string> = new Set([
  'metadata',
  'metadata.google.internal',
  'metadata.goog',
  'instance-data',
  'instance-data.ec2.internal',
  'metadata.azure.internal',
  'metadata.tencentyun.com',
]);

/**
 * A URL may hold far more: `*`, `,` and `$(…)` among them, which must not end up in a refusal that
 * says what to write behind a flag. A dot at the end is another spelling of the same name.
 */
const PLAIN_NAME = /^[a-z0-9_-]+(?:\.[a-z0-9_-]+)*$/;
/** RFC 1035 section 2.3.4, in characters. */
const MAX_NAME_CHARS = 253;
const MAX_QUOTED_CHARS = 64;

export function createGuard(options: GuardOptions): Guard {
  const isPlainHost = hostsOf(options.plainHttp, 80);
  const isPlain = (url: URL): boolean => isPlainHost(url) || options.speaksHttp?.(url) === true;
  const isAllowed = hostsOf(options.allowRegistry, 443);
  const isListed = changingHostsOf(options.moreRegistries ?? ((): readonly string[] => []), 443);
  const isNamed = (url: URL): boolean => isPlain(url) || isAllowed(url) || isListed(url);
  const kindOf = createAddressKinds();
  const isOpened = createRanges(options.allowAddress);
  const { resolveName = resolveBySystem, nameSlots: slots = nameSlotsOf({}) } = options;
  const lookUpName = createNameLookups({ resolveName, slots });
  const isNamedBy = (url: URL, { byFile, stranger }: Word): boolean =>
    byFile === true || (stranger === undefined && isNamed(url));

  /** Why this address of the URL's host is refused. */
  const fault = (address: string, url: URL, word: Word): string | undefined => {
    const kind = kindOf(address);
    if (kind === 'never') return 'a link-local, metadata or reserved address';
    if (isOpened(address)) return undefined;
    if (kind === 'loopback') {
      return `a loopback address (--allow-address ${LOOPBACK.join(',')} allows it)`;
    }
    if (kind === 'public' || isNamedBy(url, word)) return undefined;
    return `a private address${hint('--allow-registry', url, word)}`;
  };

  return {
    isNamed,
    checkUrl: (url, word = {}) => {
      const literal = url.hostname.replace(/^\[(.*)\]$/, '$1');
      const isLiteral = isIP(literal) !== 0;
      const broken = faultOf(url, {
        word,
        isLiteral,
        plain: isNamedBy(url, word) && (word.byFile === true || isPlain(url)),
        opened: isNamedBy(url, word) || (isLiteral && isOpened(literal)),
        address: isLiteral ? fault(literal, url, word) : undefined,
      });
      if (broken !== undefined) throw blocked(url, broken);
    },
    lookupFor: (url, dial) =>
      vettedLookup(url, {
        lookUpName,
        question: () => ({ ...dial, host: url.host, isNamed: isNamedBy(url, dial) }),
        fault: (address) => fault(address, url, dial),
      }),
  };
}

/** What allows it, in brackets. */
function hint(flag: string, { host }: URL, { stranger }: Word): string {
  if (stranger === undefined) return ` (${flag} ${host} allows it)`;
  const both =
    flag === '--allow-registry'
      ? `${flag} ${stranger.host},${host}`
      : `--allow-registry ${stranger.host} with ${flag} ${host}`;
  return `, and ${stranger.host}, which names it, is not allowed to (${both} allows it)`;
}

interface Findings {
  readonly word: Word;
  readonly isLiteral: boolean;
  /** May go without TLS. */
  readonly plain: boolean;
  /** May have another port than 443. */
  readonly opened: boolean;
  /** What is wrong with the literal address. */
  readonly address: string | undefined;
}

function faultOf(url: URL, found: Findings): string | undefined {
  const { isLiteral, plain, opened, address, word } = found;
  const { protocol, hostname } = url;
  const isName = hostname.length <= MAX_NAME_CHARS && PLAIN_NAME.test(hostname);
  const rules: readonly (readonly [boolean, string])[] = [
    [METADATA_NAMES.has(hostname.replace(/\.+$/, '')), 'it names a metadata service'],
    [protocol !== 'https:' && protocol !== 'http:', 'it speaks neither https nor http'],
    [!isLiteral && !isName, 'it is no plain host name or address'],
    [url.username !== '' || url.password !== '', 'it holds a user name'],
    [protocol === 'http:' && !plain, `it does not speak https${hint('--plain-http', url, word)}`],
    [address !== undefined, `it is ${address}`],
    [url.port !== '' && !opened, `its port is not 443${hint('--allow-registry', url, word)}`],
  ];
  return rules.find(([holds]) => holds)?.[1];
}

function vettedLookup(
  url: URL,
  how: {
    readonly lookUpName: LookUpName;
    readonly question: () => Omit<NameQuestion, 'hostname' | 'options'>;
    readonly fault: (address: string) => string | undefined;
  },
): LookupFunction {
  return (hostname, options, callback) => {
    how.lookUpName({ ...how.question(), hostname, options }, (error, addresses) => {
      if (error !== null) return callback(error, []);
      // One that is refused spoils the others: no honest name has both kinds.
      const why = addresses
        .map(({ address }) => how.fault(address))
        .find((text) => text !== undefined);
      if (why !== undefined) return callback(blocked(url, `it resolves to ${why}`), []);
      const first = addresses[0];
      if (options.all === true || first === undefined) return callback(null, addresses);
      return callback(null, first.address, first.family);
    });
  };
}

function blocked(url: URL, why: string): PinError {
  const plain = url.hostname.length <= MAX_NAME_CHARS && /^[\w.[\]:-]+$/.test(url.host);
  const shown = plain
    ? url.host
    : JSON.stringify((url.host || url.protocol).slice(0, MAX_QUOTED_CHARS));
  return new PinError('blocked_address', `${shown} is not asked: ${why}`, {
    host: url.hostname.slice(0, MAX_NAME_CHARS),
    ...(!why.includes(' allows it)') && {
      advice: 'name another registry: no flag allows this one',
    }),
  });
}
