import type { Writable } from 'node:stream';

import type { Streams } from '../files/streams.ts';

/** The standard streams of this process. */
export function processStreams(): Streams {
  const { stdout, stderr } = process;
  let isRead = true;
  return {
    readInput: async () => {
      const chunks: Buffer[] = [];
      for await (const chunk of process.stdin) chunks.push(Buffer.from(chunk));
      return Buffer.concat(chunks);
    },
    out: async (text) => {
      isRead = (await write(stdout, text)) && isRead;
    },
    err: async (text) => void (await write(stderr, text)),
    isRead: () => isRead,
    onTerminal: { out: stdout.isTTY, err: stderr.isTTY },
  };
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
