import { describe, expect, it } from '@jest/globals';

import { INDEX_DIGEST, methodsOf, served, told } from '../support/answers.ts';
import { inWorld } from '../support/world.ts';

describe('a digest that is not served', () => {
  it(
    'fault 65: HEAD by tag 200 and GET by digest 404, as with ECR’s pull-through → digest_not_served where it is to be verified',
    inWorld(async (world) => {
      const registry = await world.place();
      world.set('verifyByDigest', `${registry.host}/cached`);
      registry.answer(
        { when: { path: `/v2/cached/app/manifests/${INDEX_DIGEST}` }, status: 404 },
        served({ 'docker-content-digest': INDEX_DIGEST }),
      );
      expect(await world.digestOf(`${registry.host}/cached/app:1`)).toBe('digest_not_served');
      // By GET, which has such a cache fetch the image.
      expect(methodsOf(registry)).toEqual(['GET', 'GET']);
      // Elsewhere a tag costs one HEAD.
      registry.answer(told());
      expect(await world.digestOf(`${registry.host}/plain/app:1`)).toBe(INDEX_DIGEST);
      expect(methodsOf(registry)).toEqual(['GET', 'GET', 'HEAD']);
    }),
  );

  it(
    'fault 65: served by digest once it has been fetched → pinned, and verified once',
    inWorld(async (world) => {
      const registry = await world.place();
      world.set('verifyByDigest', `${registry.host}/cached`);
      registry.answer(served({ 'docker-content-digest': INDEX_DIGEST }));
      expect(await world.digestOf(`${registry.host}/cached/app:1`)).toBe(INDEX_DIGEST);
      expect(await world.digestOf(`${registry.host}/cached/app:2`)).toBe(INDEX_DIGEST);
      expect(registry.requests.map(({ path }) => path.split('/').at(-1))).toEqual([
        '1',
        INDEX_DIGEST,
        '2',
      ]);
    }),
  );
});
