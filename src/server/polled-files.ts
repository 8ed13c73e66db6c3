import { readFile } from 'node:fs/promises';

import { PinError } from '../errors.ts';
import { describeError, type LogFields, type Logger } from '../log.ts';

/** Files that are read together, and again for as long as the program runs. */
export interface PolledFiles {
  /** Reads them, now and ever again; what is missing or broken is logged, and tried again. */
  readonly start: () => Promise<void>;
  readonly isLoaded: () => boolean;
  readonly stop: () => void;
}

export interface PolledFilesOptions {
  readonly files: readonly string[];
  /** Given their texts whenever these have changed. Throws for what cannot be used; then the last good ones are. */
  readonly adopt: (...texts: string[]) => void;
  /** What they hold, for log lines. */
  readonly what: string;
  readonly fields: LogFields;
  readonly log: Logger;
}

/**
 * Reading beats watching here: kubelet swaps a mounted Secret by renaming a directory, which file
 * watchers of the platforms report in different ways, or not at all.
 */
const POLL_INTERVAL_MS = 10_000;
const FIRST_POLL_INTERVAL_MS = 1000;

export function createPolledFiles(options: PolledFilesOptions): PolledFiles {
  const { files, log, what, fields } = options;
  let current: readonly string[] | undefined;
  let timer: NodeJS.Timeout | undefined;

  const adopt = async (): Promise<void> => {
    const texts = await Promise.all(files.map(read));
    if (texts.every((text, index) => text === current?.[index])) return;
    options.adopt(...texts);
    current = texts;
  };

  const poll = async (): Promise<void> => {
    try {
      await adopt();
    } catch (caught) {
      // Half of a pair may be new while the other is not: the old pair serves on.
      log.warn({ ...fields, ...describeError(caught) }, `${what} not loaded`);
    }
    const delayMs = current === undefined ? FIRST_POLL_INTERVAL_MS : POLL_INTERVAL_MS;
    timer = setTimeout(() => void poll(), delayMs);
    timer.unref();
  };

  return { start: poll, isLoaded: () => current !== undefined, stop: () => clearTimeout(timer) };
}

async function read(file: string): Promise<string> {
  try {
    return await readFile(file, 'utf8');
  } catch (caught) {
    throw new PinError('invalid_config', `Cannot read ${file}`, { cause: caught });
  }
}
