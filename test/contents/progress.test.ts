import { describe, expect, it } from '@jest/globals';

import { createProgressBar } from '../../src/contents/progress.ts';
import { recordedStreams } from '../support/streams.ts';

function drawn(done: string): string {
  return `\r\u001B[K[${done.padEnd(30)}] `;
}

describe('createProgressBar()', () => {
  it('draws how far it is over what stands there, and takes it away', async () => {
    const streams = { ...recordedStreams(), redraws: true };
    let nowMs = 0;
    const bar = createProgressBar(streams, 'tags', () => nowMs);
    bar.expect(40);
    bar.done();
    nowMs = 99;
    bar.done();
    nowMs = 100;
    bar.done();
    bar.done();
    await bar.clear();
    await bar.clear();
    expect(streams.written.err).toBe(
      `${drawn('=')}1 of 40 tags${drawn('==')}3 of 40 tags\r\u001B[K`,
    );
  });

  it('is for a terminal alone', async () => {
    const streams = recordedStreams();
    const bar = createProgressBar(streams, 'tags', () => 0);
    bar.expect(1);
    bar.done();
    await bar.clear();
    expect(streams.written).toEqual({ out: '', err: '' });
  });
});
