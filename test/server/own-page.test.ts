import { describe, expect, it } from '@jest/globals';

import { createFormToken } from '../../src/server/own-page.ts';

describe('createFormToken()', () => {
  it('is another one in each process, of 256 bits', () => {
    const [one, other] = [createFormToken(), createFormToken()];
    expect(one.text).toMatch(/^[\w-]{43}$/);
    expect(one.text).not.toBe(other.text);
    expect(one.accepts(one.text)).toBe(true);
    expect(one.accepts(other.text)).toBe(false);
  });

  it.each([undefined, null, 1, '', ['x'], {}])('does not accept %j', (given) => {
    expect(createFormToken().accepts(given)).toBe(false);
  });
});
