import { describe, expect, it } from '@jest/globals';

import { parseGoDurationMs } from '../../../src/credentials/sources/go-duration.ts';

describe('parseGoDurationMs()', () => {
  // Cases of Go's src/time/time_test.go (BSD licence), in milliseconds.
  it.each([
    ['0', 0],
    ['5s', 5000],
    ['+5s', 5000],
    ['-5s', -5000],
    ['-0', 0],
    ['1478s', 1_478_000],
    ['5.6s', 5600],
    ['5.s', 5000],
    ['.5s', 500],
    ['100.00100s', 100_001],
    ['13us', 0.013],
    ['12µs', 0.012],
    ['12μs', 0.012],
    ['10ns', 0.000_01],
    ['3h30m', 12_600_000],
    ['10.5s4m', 250_500],
    ['-2m3.4s', -123_400],
    ['1h2m3s4ms', 3_723_004],
  ])('reads %s', (text, ms) => {
    expect(parseGoDurationMs(text)).toBeCloseTo(ms, 9);
  });

  it.each(['', '3', '-', 's', '.', '-.', '.s', '+.s', '1d', '1 h', 'x1h', '1hx', '00'])(
    'refuses %j',
    (text) => {
      expect(parseGoDurationMs(text)).toBeUndefined();
    },
  );
});
