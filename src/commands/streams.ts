import type { Writable } from 'node:stream';

import type { Streams } from '../files/streams.ts';

/** The standard streams of this process. */
export function processStreams(): Streams {
  const { stdout, stderr } = process;
  return {
    readInput: async () => {
      const chunks: Buffer[] = [];
      for await (const chunk of process.stdin) chunks.push(Buffer.from(chunk));
      return Buffer.concat(chunks);
    },
    out: (text) => write(stdout, text),
    err: (text) => write(stderr, text),
    onTerminal: { out: stdout.isTTY, err: stderr.isTTY },
  };
}

/** Its error is the write's own to tell; without a listener it would end the process as well. */
function toldByWrite(): void {}

/** A reader that has gone, such as `head`, is no failure. */
async function write(stream: Writable, text: string | Uint8Array): Promise<void> {
  if (text.length === 0) return;
  if (stream.listenerCount('error', toldByWrite) === 0) stream.on('error', toldByWrite);
  await new Promise<void>((resolve, reject) => {
    stream.write(text, (error) => {
      if (Error.isError(error) && !('code' in error && error.code === 'EPIPE')) reject(error);
      else resolve();
    });
  });
}
