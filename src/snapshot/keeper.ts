import { createOutageLog, describeError, type Logger } from '../log.ts';
import type { DigestCache } from '../resolve/cache.ts';
import { within } from '../within.ts';
import { digestLine, headLine, readSnapshot, type Snapshot } from './document.ts';
import { readBounded, replaceByPieces } from './file.ts';
import { elapsedMs, type Moment } from './moment.ts';
import { createSealing, openSealed, SEAL_BYTES } from './sealing.ts';

/** Keeps the last known digests in a file, from one process to the next. */
export interface SnapshotKeeper {
  /** Hands what the file says to the cache, where it is of use; never rejects. */
  readonly restore: () => Promise<void>;
  /** Begins to write, from time to time. */
  readonly start: () => void;
  /** Writes for the last time, in a bounded time; never rejects. */
  readonly stop: () => Promise<void>;
}

export interface SnapshotParts {
  readonly file: string;
  readonly key: Buffer;
  readonly cache: Pick<DigestCache, 'lastKnown' | 'restore' | 'changes'>;
  /** Milliseconds from one writing to the next; 0: the last one alone. */
  readonly everyMs: number;
  /** Of the file; more is not read, and of more the least used digests are not written. */
  readonly maxBytes: number;
  readonly maxDigests: number;
  readonly log: Logger;
  readonly observe: (result: 'written' | 'failed') => void;
  /** The clock of `performance.now()`, in milliseconds. */
  readonly now: () => number;
  readonly moment: () => Moment;
}

/** So many lines are made at a time: a millisecond, between which reviews are answered. */
const LINES_AT_A_TIME = 200;
/** A volume may hang. */
const READ_LIMIT_MS = 5000;
const LAST_WRITE_LIMIT_MS = 5000;

export function createSnapshotKeeper(parts: SnapshotParts): SnapshotKeeper {
  const { cache, log, file, everyMs } = parts;
  let savedChanges = cache.changes();
  let writing: Promise<void> | undefined;
  let timer: NodeJS.Timeout | undefined;
  const tell = createOutageLog(log, 'snapshot', { file });

  const write = async (): Promise<void> => {
    const changes = cache.changes();
    try {
      await replaceByPieces(file, sealedPieces(parts));
      savedChanges = changes;
      parts.observe('written');
      tell(undefined);
    } catch (caught) {
      parts.observe('failed');
      tell(caught);
    } finally {
      writing = undefined;
    }
  };
  /** Where something has changed; one writing at a time. */
  const save = (): Promise<void> | undefined => {
    if (writing === undefined && cache.changes() !== savedChanges) writing = write();
    return writing;
  };
  const finish = async (): Promise<void> => {
    await writing;
    await save();
  };
  return {
    restore: async () => {
      const late = (): undefined => refuse(parts, 'it cannot be read in time');
      const read = await within(READ_LIMIT_MS, readFile(parts), late);
      if (read !== undefined) restore(parts, read);
    },
    start: () => {
      if (everyMs > 0) timer = setInterval(() => void save(), everyMs).unref();
    },
    stop: () => {
      clearInterval(timer);
      return within(LAST_WRITE_LIMIT_MS, finish(), () => log.warn({ file }, 'snapshot cut off'));
    },
  };
}

function restore(parts: SnapshotParts, { writtenAt, digests }: Snapshot): void {
  const { cache, log, file, now, moment } = parts;
  const sinceMs = elapsedMs(writtenAt, moment());
  if (sinceMs === undefined) {
    return refuse(parts, 'the clock is behind the time at which it was written');
  }
  const nowMs = now();
  const usable = digests.filter(({ key, lookup, ageMs }) =>
    cache.restore(key, { lookup, askedAtMs: nowMs - sinceMs - ageMs }, nowMs),
  );
  log.info({ file, ageMs: sinceMs, digests: usable.length }, 'snapshot read');
}

async function readFile(parts: SnapshotParts): Promise<Snapshot | undefined> {
  const { file, key, maxBytes, maxDigests, log } = parts;
  try {
    const bytes = await readBounded(file, maxBytes);
    if (bytes === undefined) return refuse(parts, `it has more than ${maxBytes} bytes`);
    const opened = openSealed(key, bytes);
    if ('refusal' in opened) return refuse(parts, opened.refusal);
    return readSnapshot(opened.text, maxDigests) ?? refuse(parts, 'a line of it is not understood');
  } catch (caught) {
    if (isMissing(caught)) log.info({ file }, 'no snapshot yet');
    else log.warn({ file, ...describeError(caught) }, 'snapshot not used');
    return undefined;
  }
}

function refuse({ log, file }: SnapshotParts, reason: string): undefined {
  log.warn({ file, reason }, 'snapshot not used');
}

function isMissing(caught: unknown): boolean {
  return Error.isError(caught) && 'code' in caught && caught.code === 'ENOENT';
}

/** The most used come first: what is too long loses its end. */
function* sealedPieces({ cache, key, maxBytes, now, moment }: SnapshotParts): Generator<Buffer> {
  const nowMs = now();
  const sealing = createSealing(key);
  yield sealing.begin();
  let lines = headLine(moment());
  let count = 0;
  let bytesLeft = maxBytes - SEAL_BYTES - lines.length;
  for (const [known, { lookup, askedAtMs }] of cache.lastKnown(nowMs)) {
    const line = digestLine({ key: known, lookup, ageMs: nowMs - askedAtMs });
    bytesLeft -= Buffer.byteLength(line);
    if (bytesLeft < 0) break;
    lines += line;
    count += 1;
    if (count % LINES_AT_A_TIME === 0) {
      yield sealing.add(lines);
      lines = '';
    }
  }
  yield sealing.add(lines);
  yield sealing.end();
}
