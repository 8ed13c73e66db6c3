import type { Streams } from '../../src/files/streams.ts';

/** Standard streams that remember. */
export interface RecordedStreams extends Streams {
  readonly written: { out: string; err: string };
}

/** Streams whose input is a text, and whose output is UTF-8. */
export function recordedStreams(input = ''): RecordedStreams {
  const written = { out: '', err: '' };
  return {
    written,
    onTerminal: { out: false, err: false },
    colours: false,
    redraws: false,
    isRead: () => true,
    readInput: () => Promise.resolve(Buffer.from(input)),
    out: (text) => {
      written.out += typeof text === 'string' ? text : Buffer.from(text).toString('utf8');
      return Promise.resolve();
    },
    err: (text) => {
      written.err += text;
      return Promise.resolve();
    },
  };
}
