import { describe, expect, it } from '@jest/globals';

import {
  INDEX_DIGEST,
  OTHER_DIGEST,
  told,
  unauthorized,
  withAuthorization,
} from '../support/answers.ts';
import { annotationsOf, imagesOf, objectOf, POD, specOf } from '../support/review.ts';
import { inWorld } from '../support/world.ts';
import { REGCRED, startTagpinIn } from '../support/world-process.ts';

function podOf(images: Readonly<Record<string, unknown>>): Record<string, unknown> {
  const imagePullSecrets = [{ name: REGCRED }];
  return objectOf(POD, { spec: { imagePullSecrets, ...specOf(images) } });
}

const LONG_NAME = Array.from({ length: 26 }, () => 'aaaaaaaaa').join('/');

/** What a tenant may write into an image field, and the reason for which it stays. */
const STRANGE: Readonly<Record<string, readonly [unknown, string]>> = {
  nul: ['ngi\0nx', 'invalid_reference'],
  space: [' ', 'invalid_reference'],
  newline: ['nginx\n', 'invalid_reference'],
  megabyte: ['a'.repeat(1_000_000), 'invalid_reference'],
  tag129: [`nginx:${'t'.repeat(129)}`, 'invalid_reference'],
  path256: [`127.0.0.1:1/${LONG_NAME.slice(0, 256)}`, 'invalid_reference'],
  hostport: ['127.0.0.1:1/', 'invalid_reference'],
  upper: ['registry.invalid/Foo/bar', 'invalid_reference'],
  literal6: ['[fc00::1]:5000/x', 'blocked_address'],
  disguised: ['2130706433:5000/x', 'blocked_address'],
  digestShort: ['nginx@sha256:abc', 'invalid_reference'],
  digestUpper: [`nginx@sha256:${'A'.repeat(64)}`, 'invalid_reference'],
};

describe('images that are not to be looked up', () => {
  it(
    'fault 60: an image with a digest, with and without a tag → untouched, nobody is asked; a bad digest → stays, with the reason',
    inWorld(async (world) => {
      const registry = await world.place();
      registry.answer(told());
      const tagpin = await startTagpinIn(world, [registry]);
      const images = {
        digest: `${registry.host}/team/app@${OTHER_DIGEST}`,
        both: `${registry.host}/team/app:1.0@${OTHER_DIGEST}`,
      };
      const object = podOf(images);
      const good = await tagpin.review(POD, { object });
      expect(good).toMatchObject({ allowed: true, patch: [], warnings: [] });
      const bad = `${registry.host}/team/app@sha256:abc`;
      const pinned = await tagpin.review(POD, { object: podOf({ web: bad }) });
      expect(pinned.allowed).toBe(true);
      expect(imagesOf(POD, pinned.object)).toEqual({ web: bad });
      expect(pinned.warnings.join()).toContain('[invalid_reference]');
      const enforced = await tagpin.review(
        POD,
        { object: podOf({ web: bad }) },
        { mode: 'enforce' },
      );
      expect(enforced).toMatchObject({
        allowed: false,
        message: expect.stringContaining('[invalid_reference]'),
      });
      expect(registry.requests).toEqual([]);
    }),
    15_000,
  );

  it(
    'fault 61: what the grammar does not know, and hosts in disguise → stay as they are, each with its reason',
    inWorld(async (world) => {
      const registry = await world.place();
      registry.answer(withAuthorization(registry.basic), unauthorized('Basic realm="r"'));
      const tagpin = await startTagpinIn(world, [registry]);
      const strange = Object.entries(STRANGE).map(([name, [image]]) => [name, image]);
      const images = Object.fromEntries([...strange, ['web', registry.image]]);
      const answer = await tagpin.review(POD, { object: podOf(images) });
      expect(answer.allowed).toBe(true);
      expect(imagesOf(POD, answer.object)).toEqual({
        ...images,
        web: `${registry.host}/team/app@${INDEX_DIGEST}`,
      });
      const mark = annotationsOf(POD, answer.object)['tagpin.dev/unpinned'];
      const reasons = Object.entries(STRANGE).map(([name, [, code]]) => [name, code]);
      expect(JSON.parse(String(mark))).toEqual(Object.fromEntries(reasons));
      for (const warning of answer.warnings) expect(warning.length).toBeLessThanOrEqual(256);
      // What is no image at all is left alone, without a word.
      const none = { empty: '', auto: 'auto', nothing: null, number: 42 };
      const silent = await tagpin.review(POD, { object: podOf(none) });
      expect(silent).toMatchObject({ allowed: true, patch: [], warnings: [] });
      expect(tagpin.running.isAlive()).toBe(true);
    }),
    15_000,
  );

  it.each([
    ['localhost/x', 'localhost'],
    ['Foo/bar', 'foo'],
    ['example.com', 'registry-1.docker.io'],
    ['nginx', 'registry-1.docker.io'],
    ['index.docker.io/library/nginx', 'registry-1.docker.io'],
    ['example.com/x', 'example.com'],
  ])(
    'fault 61: %s → is asked for at %s',
    inWorld(async (world, image: string, host: string) => {
      for (const name of ['localhost', 'foo', 'registry-1.docker.io', 'example.com']) {
        world.names.set(name, ['169.254.169.254']);
      }
      expect(await world.failureOf(image)).toMatchObject({ code: 'blocked_address', host });
    }),
  );
});
