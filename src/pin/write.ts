import { join } from 'node:path';

import { STDIN } from '../files/disk.ts';
import { createBelow, createFile, replaceFile } from '../files/replace.ts';
import type { Streams } from '../files/streams.ts';
import { unifiedDiff } from '../files/unified-diff.ts';
import { hasFailed, leftAsItWas, type PlannedFile, textAfter } from './files.ts';
import type { Lock } from './lock.ts';
import type { PinOptions } from './usage.ts';

/** A lock with the file that it came from. */
export interface LockFile {
  readonly path: string;
  readonly lock: Lock;
  /** Empty for a lock that is new. */
  readonly before: string;
}

/** Runs what an interrupt must not cut in two; whoever was interrupted begins nothing any more. */
export type Uninterrupted = <T>(work: () => Promise<T>) => Promise<T>;

interface Writing {
  readonly options: PinOptions;
  readonly streams: Streams;
  readonly uninterrupted: Uninterrupted;
  readonly lockFile: LockFile | undefined;
}

/** Writes what was planned, as the options say. */
export interface Writer {
  /** Told of each file as soon as it is planned, in any order. */
  readonly take: (planned: PlannedFile) => void;
  /** Told when all are planned, with the files in their order. */
  readonly end: (planned: readonly PlannedFile[]) => Promise<Written>;
}

/** What came of it. */
interface Written {
  readonly files: readonly PlannedFile[];
  /** `PATH why` of what could not be written. */
  readonly unwritten: readonly string[];
}

/** A file system makes new files of one folder one after the other: more would wait in vain. */
const AT_A_TIME = 2;

/**
 * Files are written while others are still read and looked up. With a lock they wait for it: the
 * tags of files that are pinned must be in it.
 */
export function createWriter(writing: Writing): Writer {
  const { options, lockFile } = writing;
  const { check, dryRun, paths } = options;
  const waits = check || dryRun || lockFile !== undefined || paths.includes(STDIN);
  const problems = new Map<PlannedFile, string>();
  const lanes = Array.from({ length: waits ? 1 : AT_A_TIME }, () => Promise.resolve());
  let taken = 0;
  const write = async (planned: PlannedFile): Promise<void> => {
    const problem = await writeOne(planned, writing);
    if (problem !== undefined) problems.set(planned, problem);
  };
  const enqueue = (planned: PlannedFile): void => {
    if (hasFailed(planned)) return;
    const lane = taken % lanes.length;
    taken += 1;
    lanes[lane] = (lanes[lane] ?? Promise.resolve()).then(() => write(planned));
  };
  return {
    take: (planned) => {
      if (!waits) enqueue(planned);
    },
    end: async (planned) => {
      if (check) return { files: planned, unwritten: [] };
      const ofLock = dryRun ? [] : await writeLock(writing);
      if (waits) planned.forEach(enqueue);
      await Promise.all(lanes);
      return {
        files: planned.map((file) => (problems.has(file) ? leftAsItWas(file) : file)),
        unwritten: [...ofLock, ...planned.flatMap((file) => problems.get(file) ?? [])],
      };
    },
  };
}

async function writeLock({ lockFile, uninterrupted }: Writing): Promise<string[]> {
  if (lockFile === undefined) return [];
  const { path, lock, before } = lockFile;
  const text = lock.toText();
  if (text === before) return [];
  const problem = await uninterrupted(() => createFile(path, text));
  return problem === undefined ? [] : [`${path} ${problem}`];
}

async function writeOne(
  planned: PlannedFile,
  { options, streams, uninterrupted }: Writing,
): Promise<string | undefined> {
  const { file, text, edits } = planned;
  const after = textAfter(planned);
  // What was not read is not written either.
  if (text === undefined || after === undefined) return undefined;
  if (options.dryRun) {
    const name = file.path.replaceAll('\\', '/').replace(/^(?:\.?\/)+/, '');
    await streams.out(unifiedDiff(name, text, edits));
    return undefined;
  }
  if (file.path === STDIN) {
    await streams.out(after);
    return undefined;
  }
  const { output } = options;
  if (output === undefined) {
    if (edits.length === 0) return undefined;
    const problem = await uninterrupted(() => replaceFile(file.path, after));
    return problem === undefined ? undefined : `${file.path} ${problem}`;
  }
  const problem = await uninterrupted(() => createBelow(output, file.below, after));
  return problem === undefined ? undefined : `${join(output, file.below)} ${problem}`;
}
