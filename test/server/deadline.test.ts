import { describe, expect, it } from '@jest/globals';

import { budgetMs } from '../../src/server/deadline.ts';

describe('budgetMs()', () => {
  it.each([
    ['/admission/pin?timeout=10s', 8500],
    ['/admission/pin?timeout=2s', 500],
    ['/admission/pin?timeout=30s', 28_500],
    ['/admission/pin?dryRun=true&timeout=5s', 3500],
    ['/admission/pin?timeout=5s&dryRun=true', 3500],
    // Too short for a look-up, and not too short for what is known.
    ['/admission/pin?timeout=1s', 100],
    ['/admission/pin?timeout=0s', 100],
    // The API server kills a call after 30 s, whatever it says.
    ['/admission/pin?timeout=9999s', 28_500],
    // Its default, where the text is none of its own.
    ['/admission/pin', 8500],
    ['/admission/pin?timeout=', 8500],
    ['/admission/pin?timeout=-5s', 8500],
    ['/admission/pin?timeout=1.5s', 8500],
    ['/admission/pin?timeout=500ms', 8500],
    ['/admission/pin?timeout=99999s', 8500],
    ['/admission/pin?xtimeout=1s', 8500],
  ])('gives the call of %s %i ms', (url, ms) => {
    expect(budgetMs(url)).toBe(ms);
  });
});
