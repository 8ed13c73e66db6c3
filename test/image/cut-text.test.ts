import { describe, expect, it } from '@jest/globals';

import { cutText } from '../../src/image/cut-text.ts';

describe('cutText()', () => {
  it.each([
    ['that fits', 'abcd', 'abcd'],
    ['that is longer', 'abcde', 'abc…'],
    ['that fits, in two units a character', '🐳🐳🐳🐳', '🐳🐳🐳🐳'],
    ['that is longer, in two units a character', '🐳🐳🐳🐳🐳', '🐳🐳🐳…'],
    ['whose end is between two units', `ab${'🐳'.repeat(9)}`, 'ab🐳…'],
  ])('leaves whole characters of a text %s', (_, text, cut) => {
    expect(cutText(text, 4)).toBe(cut);
    expect(cut.isWellFormed()).toBe(true);
  });
});
