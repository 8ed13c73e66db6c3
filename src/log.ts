import { destination, pino } from 'pino';

/** Fields of a log line. The message is constant; what varies is a field. */
export type LogFields = Readonly<Record<string, unknown>>;

/** What the rest of the program knows of logging. */
export interface Logger {
  readonly info: (fields: LogFields, message: string) => void;
  readonly warn: (fields: LogFields, message: string) => void;
  readonly error: (fields: LogFields, message: string) => void;
}

export type LogLevel = 'info' | 'warn' | 'error' | 'silent';

/** A log with the means to write out what is buffered. */
export interface ProcessLog {
  readonly log: Logger;
  readonly flush: () => void;
}

/** Lines wait in memory until there are this many bytes of them, or a second has passed. */
const BUFFER_BYTES = 8192;
const FLUSH_INTERVAL_MS = 1000;

/** JSON lines on standard output, written off the path of a review. */
export function createLog(level: LogLevel): ProcessLog {
  const out = destination({ dest: 1, sync: false, minLength: BUFFER_BYTES });
  const log = pino({ level, base: null, timestamp: pino.stdTimeFunctions.isoTime }, out);
  const flush = (): void => {
    try {
      out.flushSync();
    } catch {
      // Not yet open, or closed by its reader: there is nobody left to tell.
    }
  };
  setInterval(flush, FLUSH_INTERVAL_MS).unref();
  return {
    log: {
      info: (fields, message) => log.info(fields, message),
      warn: (fields, message) => log.warn(fields, message),
      error: (fields, message) => log.error(fields, message),
    },
    flush,
  };
}

/** The chain of causes of an error as text, for a log line; a stack only for a bug. */
export function describeError(error: unknown): LogFields {
  const chain: string[] = [];
  let here = error;
  while (Error.isError(here) && chain.length < 5) {
    const code = 'code' in here && typeof here.code === 'string' ? ` [${here.code}]` : '';
    chain.push(`${here.name}: ${here.message}${code}`);
    here = here.cause;
  }
  if (chain.length === 0) chain.push(String(error));
  return { error: chain.join(' <- ') };
}
