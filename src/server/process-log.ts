import { destination, pino } from 'pino';

import type { LogFields, Logger, LogLevel } from '../log.ts';

/** A log with the means to end it. */
export interface ProcessLog {
  readonly log: Logger;
  /** Resolves when all that was logged is written, or nobody reads it any more. */
  readonly end: () => Promise<void>;
}

/** Each written by itself would cost a warm review a tenth of its time: together they are cheap. */
const MAX_WAITING_LINES = 64;
const MAX_WAIT_MS = 50;
/** Written lines are gathered until there are this many bytes of them, or a second has passed. */
const BUFFER_BYTES = 8192;
const FLUSH_INTERVAL_MS = 1000;
/** The reader of a pipe may be gone, or stand still. */
const END_LIMIT_MS = 2000;

interface Line {
  readonly level: keyof Logger;
  readonly atMs: number;
  readonly fields: LogFields;
  readonly message: string;
}

/**
 * JSON lines on standard output, written off the path of a review and with the time of their event:
 * always in turn, for a line that is written at once would land inside of a longer one that is
 * still on its way. What is left when the process ends by a defect, pino writes out: the error that
 * tells of it takes along whatever waits.
 */
export function createLog(level: LogLevel): ProcessLog {
  const out = destination({
    dest: 1,
    sync: false,
    minLength: BUFFER_BYTES,
    periodicFlush: FLUSH_INTERVAL_MS,
  });
  let writingMs = 0;
  const timestamp = (): string => `,"time":"${new Date(writingMs).toISOString()}"`;
  const log = pino({ level, base: null, timestamp }, out);
  let waiting: Line[] = [];
  let timer: NodeJS.Timeout | undefined;

  const write = (): void => {
    clearTimeout(timer);
    timer = undefined;
    const lines = waiting;
    waiting = [];
    for (const line of lines) {
      writingMs = line.atMs;
      log[line.level](line.fields, line.message);
    }
  };
  const add = (lineLevel: keyof Logger, fields: LogFields, message: string): void => {
    if (!log.isLevelEnabled(lineLevel)) return;
    const count = waiting.push({ level: lineLevel, atMs: Date.now(), fields, message });
    if (count >= MAX_WAITING_LINES || lineLevel === 'error') write();
    else timer ??= setTimeout(write, MAX_WAIT_MS);
  };
  return {
    log: {
      info: (fields, message) => add('info', fields, message),
      warn: (fields, message) => add('warn', fields, message),
      error: (fields, message) => add('error', fields, message),
    },
    end: () => {
      write();
      return ended(out);
    },
  };
}

function ended(out: ReturnType<typeof destination>): Promise<void> {
  return new Promise((resolve) => {
    out.once('close', resolve);
    setTimeout(resolve, END_LIMIT_MS).unref();
    out.end();
  });
}
