import type { Streams } from '../../src/files/streams.ts';

/** Standard streams that remember. */
export interface RecordedStreams extends Streams {
  readonly written: { out: string; err: string };
}

/** Streams whose input is a text. */
export function recordedStreams(input = ''): RecordedStreams {
  const written = { out: '', err: '' };
  return {
    written,
    readInput: () => Promise.resolve(Buffer.from(input)),
    out: (text) => {
      written.out += text;
      return Promise.resolve();
    },
    err: (text) => {
      written.err += text;
      return Promise.resolve();
    },
  };
}
