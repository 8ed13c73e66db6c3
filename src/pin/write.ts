import { join } from 'node:path';

import { createFile, replaceFile, STDIN } from '../files/disk.ts';
import type { Streams } from '../files/streams.ts';
import { unifiedDiff } from '../files/unified-diff.ts';
import { hasFailed, type PlannedFile, textAfter } from './files.ts';
import type { Lock } from './lock.ts';
import type { PinOptions } from './run.ts';

/** A lock with the file that it came from. */
export interface LockFile {
  readonly path: string;
  readonly lock: Lock;
  /** Empty for a lock that is new. */
  readonly before: string;
}

interface Writing {
  readonly options: PinOptions;
  readonly streams: Streams;
}

/** Writes what was planned, as the options say; gives why a file could not be written. */
export async function writeAll(
  planned: readonly PlannedFile[],
  lockFile: LockFile | undefined,
  writing: Writing,
): Promise<string[]> {
  const { options } = writing;
  if (options.check) return [];
  const problems: string[] = [];
  // First the lock: the tags of files that are pinned must be in it.
  if (lockFile !== undefined && !options.dryRun) problems.push(...writeLock(lockFile));
  const whole = planned.filter((file) => !hasFailed(file));
  for (const file of whole) {
    // oxlint-disable-next-line no-await-in-loop -- one file after the other
    problems.push(...(await writeOne(file, writing)));
  }
  return problems;
}

function writeLock({ path, lock, before }: LockFile): string[] {
  const text = lock.toText();
  if (text === before) return [];
  const problem = createFile(path, text);
  return problem === undefined ? [] : [`${path} ${problem}`];
}

async function writeOne(planned: PlannedFile, { options, streams }: Writing): Promise<string[]> {
  const { file, text = '', edits } = planned;
  const after = textAfter(planned) ?? '';
  if (options.dryRun) {
    await streams.out(
      unifiedDiff(file.path.replaceAll('\\', '/').replace(/^(?:\.?\/)+/, ''), text, edits),
    );
    return [];
  }
  if (file.path === STDIN) {
    await streams.out(after);
    return [];
  }
  const { output } = options;
  if (output === undefined && edits.length === 0) return [];
  const target = output === undefined ? file.path : join(output, file.below);
  const problem = (output === undefined ? replaceFile : createFile)(target, after);
  return problem === undefined ? [] : [`${target} ${problem}`];
}
