import { destination } from 'pino';

/** Where the lines go, which may be full, stand still, or be gone. */
export interface LogOutput {
  /** Takes whole lines, and writes them some time. */
  readonly write: (lines: string) => void;
  /** What could not be written so far. */
  readonly lostBytes: () => number;
  /** Resolves when all of it is written, or cannot be. */
  readonly end: () => Promise<void>;
}

/** Written lines are gathered until there are this many bytes of them, or a second has passed. */
const BUFFER_BYTES = 8192;
const FLUSH_INTERVAL_MS = 1000;
/** More does not wait for a reader that stands still: it is lost. */
const MAX_WAITING_BYTES = 4 * 1024 * 1024;
/** The reader of a pipe may be gone, or stand still. */
const END_LIMIT_MS = 2000;

/** One way out, until it fails. */
interface Opened {
  readonly out: ReturnType<typeof destination>;
  waitingBytes: number;
}

/**
 * Standard output, which nothing else of the process depends on. What meets a full disk is lost, and
 * what is written after it is tried anew: a destination of pino's would try the same bytes for ever,
 * and at the end of the process never come back from it.
 */
export function createLogOutput(): LogOutput {
  let lostBytes = 0;
  let hasFailed = false;
  let ending: Promise<void> | undefined;
  const lose = (bytes: number): void => {
    lostBytes += bytes;
  };
  const open = (): Opened => {
    const out = destination({
      dest: 1,
      sync: false,
      minLength: BUFFER_BYTES,
      maxLength: MAX_WAITING_BYTES,
      periodicFlush: FLUSH_INTERVAL_MS,
    });
    const opened: Opened = { out, waitingBytes: 0 };
    out.on('write', (bytes) => (opened.waitingBytes -= bytes));
    out.on('drop', (lines) => {
      const bytes = Buffer.byteLength(lines);
      opened.waitingBytes -= bytes;
      lose(bytes);
    });
    // Before pino's own, which tells of an error again, and after one of a pipe lets nothing be ended.
    out.prependListener('error', () => {
      if (opened === current) fail();
    });
    return opened;
  };
  const fail = (): void => {
    const { out, waitingBytes } = current;
    lose(waitingBytes);
    hasFailed = true;
    current = open();
    out.destroy();
  };
  let current = open();

  return {
    write: (lines) => {
      // What was begun may have no end.
      const text = hasFailed ? `\n${lines}` : lines;
      const bytes = Buffer.byteLength(text);
      if (ending !== undefined) return lose(bytes);
      hasFailed = false;
      current.waitingBytes += bytes;
      current.out.write(text);
    },
    lostBytes: () => lostBytes,
    end: () => (ending ??= ended(current.out)),
  };
}

function ended(out: Opened['out']): Promise<void> {
  return new Promise((resolve) => {
    out.once('close', resolve);
    setTimeout(resolve, END_LIMIT_MS).unref();
    out.end();
  });
}
