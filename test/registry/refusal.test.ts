import { describe, expect, it } from '@jest/globals';

import type { CredentialSource, Offer } from '../../src/credentials/credential.ts';
import { PinError } from '../../src/errors.ts';
import { type Refusal, refusalOf, refusedAll } from '../../src/registry/refusal.ts';

const ORIGIN = 'https://r.example.com';

const SOURCE: CredentialSource = {
  name: 'cloud',
  covers: () => true,
  offersFor: async () => [],
  forget: () => undefined,
};

function refusal(username: string, rest: Partial<Refusal> = {}): Refusal {
  const offer: Offer = {
    credential: { username, password: 'canary-password' },
    origin: 'pull secret "team/regcred"',
  };
  const error = new PinError('unauthorized', 'r.example.com answered 403', {
    host: 'r.example.com',
  });
  return { error, offer, source: undefined, ...rest };
}

function refusedWith(status: number, body: string): string {
  const response = { status, header: () => [], body: Buffer.from(body), url: new URL(ORIGIN) };
  const registry = 'r.example.com';
  const endpoint = { origin: ORIGIN, registry, root: '/v2', repository: 'a', isRegistry: true };
  return refusalOf(endpoint, response, false).message;
}

describe('refusalOf()', () => {
  it.each([
    [404, 'MANIFEST_UNKNOWN', 'r.example.com answered 404 (not found), MANIFEST_UNKNOWN'],
    [403, 'DENIED', 'r.example.com answered 403 (not found, or no access), DENIED'],
    [429, 'TOOMANYREQUESTS', 'r.example.com answered 429 (too many requests), TOOMANYREQUESTS'],
    [500, 'UNKNOWN', 'r.example.com answered 500, UNKNOWN'],
  ])("tells the registry's own code of a %i", (status, code, message) => {
    const detail = { message: 'canary', detail: { canary: true } };
    const errors = [{ code, ...detail }, { code: 'SECOND' }];
    expect(refusedWith(status, JSON.stringify({ errors }))).toBe(message);
  });

  it.each([
    '',
    '<html>canary</html>',
    '{"details":"canary"}',
    '{"errors":"canary"}',
    '{"errors":[]}',
    '{"errors":["canary"]}',
    '{"errors":[{"code":"canary text"}]}',
    '{"errors":[{"code":"\\u001b[2J"}]}',
    `{"errors":[{"code":"${'A'.repeat(41)}"}]}`,
    `{"errors":[{"code":"A"}],"x":"${' '.repeat(65_536)}"}`,
  ])('tells nothing of %p', (body) => {
    expect(refusedWith(404, body)).toBe('r.example.com answered 404 (not found)');
  });
});

describe('refusedAll()', () => {
  it.each([
    ['oauth2accesstoken', 'an hour'],
    ['AWS', '12 hours'],
    ['00000000-0000-0000-0000-000000000000', 'three hours'],
  ])('says that a password of %s lives %s, and in which secret it is', (username, life) => {
    expect(refusedAll([refusal('alice'), refusal(username)], [])).toMatchObject({
      code: 'unauthorized',
      host: 'r.example.com',
      message: `r.example.com answered 403, asked with pull secret "team/regcred" (the password in pull secret "team/regcred" may have expired: such tokens live ${life})`,
    });
  });

  it.each<[string, readonly Refusal[]]>([
    ['of another user', [refusal('alice')]],
    ['of a source, which was asked anew', [refusal('AWS', { source: SOURCE })]],
    [
      'where the tag is not there',
      [refusal('AWS', { error: new PinError('not_found', 'r.example.com answered 404') })],
    ],
  ])('says nothing of the life of a password %s', (_what, refusals) => {
    expect(refusedAll(refusals, []).message).not.toContain('expired');
  });

  it('never tells a password or a user', () => {
    const { message } = refusedAll([refusal('canary-user'), refusal('AWS')], []);
    expect(message).not.toContain('canary');
  });
});
