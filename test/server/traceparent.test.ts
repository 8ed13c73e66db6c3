import { describe, expect, it } from '@jest/globals';

import { traceparentOf } from '../../src/server/traceparent.ts';

const TRACE = '4bf92f3577b34da6a3ce929d0e0e4736';
const PARENT = '00f067aa0ba902b7';
const TOLD = `00-${TRACE}-${PARENT}-01`;

describe('traceparentOf()', () => {
  it('gives what the header says', () => {
    expect(traceparentOf({ traceparent: TOLD })).toBe(TOLD);
  });

  it('leaves out what a later version puts behind', () => {
    const later = TOLD.replace(/^00/, 'cc');
    expect(traceparentOf({ traceparent: `${later}-${'x'.repeat(1000)}` })).toBe(later);
    expect(traceparentOf({ traceparent: later })).toBe(later);
  });

  it.each<[string, string | undefined]>([
    ['nothing', undefined],
    ['an empty text', ''],
    ['a trace of zeros', `00-${'0'.repeat(32)}-${PARENT}-01`],
    ['a parent of zeros', `00-${TRACE}-${'0'.repeat(16)}-01`],
    ['the version that there never is', TOLD.replace(/^00/, 'ff')],
    ['capital letters', TOLD.toUpperCase()],
    ['a trace that is too short', `00-${TRACE.slice(1)}-${PARENT}-01`],
    ['no flags', `00-${TRACE}-${PARENT}`],
    ['more behind the flags', `${TOLD}0`],
    ['more than version 00 has', `${TOLD}-more`],
    ['another line', `${TOLD}\n{"level":"error"}`],
    ['two of them', `${TOLD}, ${TOLD}`],
  ])('gives nothing of %s', (_what, traceparent) => {
    expect(traceparentOf({ traceparent })).toBeUndefined();
  });
});
