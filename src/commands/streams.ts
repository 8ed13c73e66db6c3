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
  };
}

/** Its error is the write's own to tell; without a listener it would end the process as well. */
function toldByWrite(): void {}

/** A reader that has gone, such as `head`, is no failure. */
async function write(stream: Writable, text: string): Promise<void> {
  if (text === '') return;
  if (stream.listenerCount('error', toldByWrite) === 0) stream.on('error', toldByWrite);
  await new Promise<void>((resolve, reject) => {
    stream.write(text, (error) => {
      if (Error.isError(error) && !('code' in error && error.code === 'EPIPE')) reject(error);
      else resolve();
    });
  });
}
