import type { CachedLookup } from '../resolve/cache.ts';
import type { SharedDigests } from '../resolve/shared-digests.ts';
import { type Connection, RefusedByServer } from './connection.ts';
import type { Link } from './link.ts';
import { MAX_VALUE_CHARS, type Sealed, type ToldDigest } from './sealed-digests.ts';

/**
 * How the shared cache answered: the `result` label of its metric. `rejected` was written by no
 * replica for this key, `outdated` is older than digests are fresh or ahead of the clock, `skipped`
 * was not asked because it is left alone.
 */
type SharedCacheResult = 'hit' | 'miss' | 'rejected' | 'outdated' | 'written' | 'error' | 'skipped';

export interface SharedDigestsParts {
  readonly link: Pick<Link, 'connection' | 'answered' | 'failed'>;
  readonly sealedUnder: (cacheKey: string) => Sealed;
  /** How long a digest is fresh. */
  readonly ttlMs: number;
  /** The clock of `performance.now()`, in milliseconds. */
  readonly now: () => number;
  /** Milliseconds since 1970: replicas have no other clock in common. */
  readonly wallClock: () => number;
  readonly observe: (operation: 'read' | 'write', result: SharedCacheResult) => void;
}

/** So much later at most a review is answered because there is a shared cache. */
const ANSWER_LIMIT_MS = 50;
/**
 * Clocks of nodes that are kept by NTP differ by less. A digest counts as so much older than it says,
 * so that it never passes for younger than it is.
 */
const CLOCKS_DIFFER_MS = 2000;

/** Digests that replicas share on a server that is trusted with nothing. */
export function createSharedDigests(parts: SharedDigestsParts): SharedDigests {
  return {
    find: async (key) => {
      const connection = parts.link.connection();
      const sealed = parts.sealedUnder(key);
      const [result, found] =
        connection === undefined ? NOT_ASKED : await read(parts, connection, sealed);
      parts.observe('read', result);
      return found;
    },
    keep: (key, found) => {
      const leftMs = Math.floor(parts.ttlMs - (parts.now() - found.askedAtMs));
      if (leftMs < 1) return;
      const connection = parts.link.connection();
      if (connection === undefined) return parts.observe('write', 'skipped');
      const { name, seal } = parts.sealedUnder(key);
      const written = connection.write(name, seal(toldOf(parts, found)), leftMs);
      void answer(parts, connection, written).then((done) =>
        parts.observe('write', done === undefined ? 'error' : 'written'),
      );
    },
  };
}

type Reading = readonly [result: SharedCacheResult, found?: CachedLookup];

const NOT_ASKED: Reading = ['skipped'];

async function read(
  parts: SharedDigestsParts,
  connection: Connection,
  { name, open }: Sealed,
): Promise<Reading> {
  // One character more than is accepted tells what is too long, whatever was planted.
  const asked = connection.read(name, MAX_VALUE_CHARS + 1);
  const answered = await answer(parts, connection, asked);
  if (answered === undefined) return ['error'];
  if (answered.value === '') return ['miss'];
  const told = open(answered.value);
  if (told === undefined) return ['rejected'];
  const found = foundFrom(parts, told);
  return found === undefined ? ['outdated'] : ['hit', found];
}

/** Undefined where there is no answer in time. */
async function answer<T>(
  { link }: SharedDigestsParts,
  connection: Connection,
  asked: Promise<T>,
): Promise<{ readonly value: T } | undefined> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_resolve, reject) => {
    const message = `no answer within ${ANSWER_LIMIT_MS} ms`;
    // What came while this process was busy is read first: its own pause is not the server's.
    timer = setTimeout(() => setImmediate(() => reject(new Error(message))), ANSWER_LIMIT_MS);
  });
  try {
    const value = await Promise.race([asked, late]);
    link.answered();
    return { value };
  } catch (caught) {
    // A refusal is an answer: it came at once, and may be of one name alone.
    if (caught instanceof RefusedByServer) link.answered();
    else link.failed(connection, caught);
    return undefined;
  } finally {
    clearTimeout(timer);
  }
}

/** The age bounds how long a value that was put back is believed, which no seal can tell. */
function foundFrom(
  { ttlMs, now, wallClock }: SharedDigestsParts,
  { askedAtUnixMs, ...told }: ToldDigest,
): CachedLookup | undefined {
  const ageMs = wallClock() - askedAtUnixMs + CLOCKS_DIFFER_MS;
  if (ageMs >= ttlMs || ageMs < 0) return undefined;
  return { lookup: { ...told, source: 'shared' }, askedAtMs: now() - ageMs };
}

function toldOf(
  { now, wallClock }: SharedDigestsParts,
  { lookup: { digest, mediaType, host, attempts }, askedAtMs }: CachedLookup,
): ToldDigest {
  const askedAtUnixMs = Math.round(wallClock() - (now() - askedAtMs));
  return { digest, mediaType, host, attempts, askedAtUnixMs };
}
