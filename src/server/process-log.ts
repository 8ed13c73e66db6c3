import type { LogFields, Logger, LogLevel } from '../log.ts';
import { createLogOutput } from './log-output.ts';

/** A log with the means to end it. */
export interface ProcessLog {
  readonly log: Logger;
  /** What could not be written so far: the disk is full, or nobody reads. */
  readonly lostBytes: () => number;
  /** Resolves when all that was logged is written, or cannot be. */
  readonly end: () => Promise<void>;
}

/** Each written by itself would cost a warm review a tenth of its time: together they are cheap. */
const MAX_WAITING_LINES = 64;
const MAX_WAIT_MS = 50;

/** The numbers of pino, which readers of logs know. */
const LEVELS: Readonly<Record<LogLevel, number>> = {
  info: 30,
  warn: 40,
  error: 50,
  silent: Number.POSITIVE_INFINITY,
};

interface Line {
  readonly level: keyof Logger;
  readonly atMs: number;
  readonly fields: LogFields;
  readonly message: string;
}

/**
 * JSON lines on standard output, written off the path of a review and with the time of their event:
 * always in turn, for a line that is written at once would land inside of a longer one that is
 * still on its way. An error takes along whatever waits.
 */
export function createLog(level: LogLevel): ProcessLog {
  const { lostBytes, ...out } = createLogOutput();
  const least = LEVELS[level];
  let waiting: Line[] = [];
  let toldBytes = 0;
  let timer: NodeJS.Timeout | undefined;

  const write = (): void => {
    clearTimeout(timer);
    timer = undefined;
    const lines = waiting;
    waiting = [];
    if (lines.length === 0) return;
    if (lostBytes() > toldBytes) {
      toldBytes = lostBytes();
      const fields = { lostBytes: toldBytes };
      lines.unshift({ level: 'warn', atMs: Date.now(), fields, message: 'log lines lost' });
    }
    out.write(lines.map(textOf).join(''));
  };
  const add = (lineLevel: keyof Logger, fields: LogFields, message: string): void => {
    if (LEVELS[lineLevel] < least) return;
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
    lostBytes,
    end: () => {
      write();
      return out.end();
    },
  };
}

/** As pino writes it, which goes through the fields one by one and takes three times as long. */
function textOf({ level, atMs, fields, message }: Line): string {
  const told = JSON.stringify(fields);
  const inside = told === '{}' ? '' : `${told.slice(1, -1)},`;
  const head = `"level":${LEVELS[level]},"time":"${timeOf(atMs)}"`;
  return `{${head},${inside}"msg":${JSON.stringify(message)}}\n`;
}

/** The last second that was written out: nearly every line is of the same one as the line before. */
let second = { atMs: Number.NaN, text: '' };

/** As toISOString() has it, which costs as much as half of a line. */
function timeOf(atMs: number): string {
  const ms = atMs % 1000;
  if (atMs - ms !== second.atMs) {
    const start = atMs - ms;
    second = { atMs: start, text: new Date(start).toISOString().slice(0, -'000Z'.length) };
  }
  return `${second.text}${String(ms).padStart(3, '0')}Z`;
}
