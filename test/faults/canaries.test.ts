import { describe, expect, it } from '@jest/globals';

import { digest } from '../support/admission.ts';
import { World } from '../support/world.ts';

const TOLD = { headers: { 'docker-content-digest': digest('a') } };

/** What the end of a world says. */
async function endOf(world: World): Promise<string> {
  try {
    await world[Symbol.asyncDispose]();
    return 'nothing leaked';
  } catch (error) {
    return Error.isError(error) ? error.message : String(error);
  }
}

describe('World', () => {
  it('ends well where a credential went to its own registry', async () => {
    const world = new World();
    const registry = await world.place();
    registry.answer(
      { when: { headers: { authorization: registry.basic } }, ...TOLD },
      { status: 401, headers: { 'www-authenticate': 'Basic realm="r"' } },
    );
    expect(await world.digestOf(registry.image)).toBe(digest('a'));
    expect(await endOf(world)).toBe('nothing leaked');
  });

  it.each<[string, (credential: { username: string; password: string }) => RequestInit]>([
    [
      'in a Basic header',
      ({ username, password }) => ({
        headers: { authorization: `Basic ${btoa(`${username}:${password}`)}` },
      }),
    ],
    ['in a Bearer', ({ password }) => ({ headers: { authorization: `Bearer ${password}` } })],
    ['in any header', ({ username }) => ({ headers: { 'x-forwarded-user': username } })],
    [
      'in a form',
      ({ password }) => ({ method: 'POST', body: new URLSearchParams({ token: password }) }),
    ],
    [
      'in base64 in a body',
      ({ password }) => ({ method: 'POST', body: JSON.stringify({ auth: btoa(`u:${password}`) }) }),
    ],
  ])('ends badly where another server saw a credential %s', async (_what, request) => {
    const world = new World();
    const [registry, other] = [await world.place(), await world.place()];
    other.answer({});
    await fetch(`${other.origin}/token`, request(registry.credential));
    expect(await endOf(world)).toContain(`${other.origin} was sent canary-`);
  });

  it('ends badly where another server saw a credential in a query', async () => {
    const world = new World();
    const [registry, other] = [await world.place(), await world.place()];
    other.answer({});
    const query = new URLSearchParams({ account: `%${registry.credential.username}` });
    await fetch(`${other.origin}/token?${query.toString()}`);
    expect(await endOf(world)).toContain(`${other.origin} was sent canary-user-`);
  });

  it.each(['a message', 'a line of the log'])(
    'ends badly where %s holds a credential',
    async (where) => {
      const world = new World();
      const { basic } = await world.place();
      world.canaries.overhear(where, `{"headers":{"authorization":"${basic}"}}`);
      expect(await endOf(world)).toContain(`${where} tells canary-`);
    },
  );
});
