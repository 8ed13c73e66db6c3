import { describe, expect, it } from '@jest/globals';

import { IMAGE_OUTCOMES, MODE_POLICIES, MODES, reviewOutcome } from '../../src/admission/policy.ts';

describe('MODE_POLICIES', () => {
  it('lets enforce alone deny, and warn alone write nothing', () => {
    const told = MODES.map((mode) => [mode, MODE_POLICIES[mode]]);
    expect(Object.fromEntries(told)).toEqual({
      pin: { writesPins: true, onFailure: 'admit', honoursSkip: true, givesWay: true },
      enforce: { writesPins: true, onFailure: 'deny', honoursSkip: false, givesWay: false },
      warn: { writesPins: false, onFailure: 'admit', honoursSkip: true, givesWay: false },
    });
  });
});

describe('reviewOutcome()', () => {
  it.each([
    ['nothing', [], 'no_images'],
    ['one image', ['reused'], 'reused'],
    ['a failure among pins', ['pinned', 'failed', 'pinned'], 'failed'],
    [
      'a refresh that failed beside one that did not',
      ['refreshed', 'refresh_failed'],
      'refresh_failed',
    ],
    ['a pin among what stays', ['skipped', 'already_pinned', 'pinned'], 'pinned'],
    ['what is to be told of in mode warn', ['already_pinned', 'would_pin'], 'would_pin'],
  ] as const)('shows of %s what somebody should look at', (_, outcomes, expected) => {
    expect(reviewOutcome(outcomes)).toBe(expected);
  });

  it.each(IMAGE_OUTCOMES)('knows %s', (outcome) => {
    expect(reviewOutcome([outcome, outcome])).toBe(outcome);
  });
});
