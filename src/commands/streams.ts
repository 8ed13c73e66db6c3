import type { Writable } from 'node:stream';
import type { WriteStream } from 'node:tty';

import type { Streams } from '../files/streams.ts';
import type { CommandParts } from './command-parts.ts';

type Environment = CommandParts['environment'];

export interface ProcessStreams extends Streams {
  /** Why standard output could not be written, of the first time; undefined while it can. */
  readonly outFailure: () => unknown;
}

/**
 * The standard streams of this process. Output that fails, on a full disk for example, is no failure
 * of what is being told of: it is kept for the end, and until then it is as if nobody read on.
 */
export function processStreams(environment: Environment): ProcessStreams {
  const { stdout, stderr } = process;
  let isRead = true;
  let outFailure: unknown;
  return {
    readInput: async () => {
      const chunks: Buffer[] = [];
      for await (const chunk of process.stdin) chunks.push(Buffer.from(chunk));
      return Buffer.concat(chunks);
    },
    out: async (text) => {
      try {
        isRead = (await write(stdout, text)) && isRead;
      } catch (caught) {
        isRead = false;
        outFailure ??= caught;
      }
    },
    err: async (text) => void (await write(stderr, text)),
    isRead: () => isRead,
    outFailure: () => outFailure,
    onTerminal: { out: stdout.isTTY, err: stderr.isTTY },
    colours: showsColours(stdout, environment),
    redraws: stderr.isTTY && environment['TERM'] !== 'dumb',
  };
}

/**
 * NO_COLOR (https://no-color.org), FORCE_COLOR, NODE_DISABLE_COLORS and TERM as Node's own
 * `getColorDepth` reads them; where no terminal is, there is no colour whatever they say.
 */
export function showsColours(
  stream: Pick<WriteStream, 'isTTY' | 'hasColors'>,
  environment: Environment,
): boolean {
  return stream.isTTY && stream.hasColors(environment);
}

/** Its error is the write's own to tell; without a listener it would end the process as well. */
function toldByWrite(): void {}

/** False where the reader has gone, such as `head`: that is no failure. */
async function write(stream: Writable, text: string | Uint8Array): Promise<boolean> {
  if (text.length === 0) return true;
  if (stream.listenerCount('error', toldByWrite) === 0) stream.on('error', toldByWrite);
  return new Promise<boolean>((resolve, reject) => {
    stream.write(text, (error) => {
      const isGone = Error.isError(error) && 'code' in error && error.code === 'EPIPE';
      if (Error.isError(error) && !isGone) reject(error);
      else resolve(!isGone);
    });
  });
}
