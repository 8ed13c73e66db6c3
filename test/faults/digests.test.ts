import { describe, expect, it } from '@jest/globals';

import { computeDigest } from '../../src/image/digest.ts';
import { INDEX, INDEX_DIGEST, methodsOf, OTHER_DIGEST, served, told } from '../support/answers.ts';
import type { Rule } from '../support/scripted-registry.ts';
import { inWorld } from '../support/world.ts';

const HEX = 'a'.repeat(64);

function header(value: string | readonly string[]): Rule {
  return served({ 'docker-content-digest': value });
}

describe('what a registry tells of a digest', () => {
  it(
    'fault 1: HEAD 200 without Docker-Content-Digest → GET, hash of the raw bytes',
    inWorld(async (world) => {
      const registry = await world.place();
      registry.answer(served());
      expect(await world.digestOf(registry.image)).toBe(INDEX_DIGEST);
      expect(methodsOf(registry)).toEqual(['HEAD', 'GET']);
    }),
  );

  it.each([405, 501])(
    'fault 2: HEAD answered %i → GET of the same URL, and the host is remembered',
    inWorld(async (world, status: number) => {
      const registry = await world.place();
      registry.answer({ when: { method: 'HEAD' }, status }, served());
      expect(await world.digestOf(registry.image)).toBe(INDEX_DIGEST);
      expect(methodsOf(registry)).toEqual(['HEAD', 'GET']);
      const [head, get] = registry.requests;
      expect(get?.path).toBe(head?.path);
      expect(await world.digestOf(`${registry.host}/team/app:2.0`)).toBe(INDEX_DIGEST);
      expect(methodsOf(registry)).toEqual(['HEAD', 'GET', 'GET']);
    }),
  );

  it(
    'fault 3: HEAD 404 though GET would answer 200 → not_found, one request, no loop',
    inWorld(async (world) => {
      const registry = await world.place();
      registry.answer({ when: { method: 'HEAD' }, status: 404 }, served());
      expect(await world.digestOf(registry.image)).toBe('not_found');
      expect(methodsOf(registry)).toEqual(['HEAD']);
    }),
  );

  it(
    'fault 4: 64 hexadecimal digits without an algorithm → header ignored, GET and hash',
    inWorld(async (world) => {
      const registry = await world.place();
      registry.answer(header(HEX));
      expect(await world.digestOf(registry.image)).toBe(INDEX_DIGEST);
      expect(methodsOf(registry)).toEqual(['HEAD', 'GET']);
    }),
  );

  it.each<[string, string]>([
    ['in upper case', `sha256:${'A'.repeat(64)}`],
    ['of 63 digits', `sha256:${'a'.repeat(63)}`],
    ['of 65 digits', `sha256:${'a'.repeat(65)}`],
    ['before a comma', `sha256:${HEX},`],
    ['with a space inside', `sha256: ${HEX}`],
  ])(
    'fault 5: a malformed digest, %s → GET and hash',
    inWorld(async (world, _what: string, value: string) => {
      const registry = await world.place();
      registry.answer(header(value));
      expect(await world.digestOf(registry.image)).toBe(INDEX_DIGEST);
      expect(methodsOf(registry)).toEqual(['HEAD', 'GET']);
    }),
  );

  it(
    'fault 5: white space around a digest → no part of it, trimmed',
    inWorld(async (world) => {
      const registry = await world.place();
      registry.answer(header(` ${OTHER_DIGEST}\t `));
      expect(await world.digestOf(registry.image)).toBe(OTHER_DIGEST);
      expect(methodsOf(registry)).toEqual(['HEAD']);
    }),
  );

  it(
    'fault 6: the header of a GET is not the digest of its bytes → the computed one, and a metric',
    inWorld(async (world) => {
      const registry = await world.place();
      registry.answer({ when: { method: 'HEAD' }, status: 405 }, header(OTHER_DIGEST));
      expect(await world.digestOf(registry.image)).toBe(INDEX_DIGEST);
      expect(await world.metrics()).toContain(
        `tagpin_registry_digest_mismatches_total{registry="${registry.host}"} 1`,
      );
    }),
  );

  it(
    'fault 7: two Docker-Content-Digest headers that differ → hash of the body',
    inWorld(async (world) => {
      const registry = await world.place();
      registry.answer(header([OTHER_DIGEST, INDEX_DIGEST]));
      expect(await world.digestOf(registry.image)).toBe(INDEX_DIGEST);
      expect(methodsOf(registry)).toEqual(['HEAD', 'GET']);
      expect(await world.metrics()).not.toMatch(/digest_mismatches_total\{/);
    }),
  );

  it(
    'fault 8: sha512 → accepted from a HEAD, and verified with sha512 by a GET',
    inWorld(async (world) => {
      const [registry, other] = [await world.place(), await world.place()];
      const sha512 = computeDigest(INDEX, 'sha512');
      registry.answer(told(sha512));
      other.answer({ when: { method: 'HEAD' }, status: 405 }, header(sha512));
      expect(await world.digestOf(registry.image)).toBe(sha512);
      expect(methodsOf(registry)).toEqual(['HEAD']);
      expect(await world.digestOf(other.image)).toBe(sha512);
      expect(await world.metrics()).not.toMatch(/digest_mismatches_total\{/);
    }),
  );

  it.each(['blake3', 'sha384', 'md5'])(
    'fault 9: a digest of the algorithm %s → sha256 of the body, once the registry serves that',
    inWorld(async (world, algorithm: string) => {
      const registry = await world.place();
      registry.answer(header(`${algorithm}:${HEX}`));
      expect(await world.digestOf(registry.image)).toBe(INDEX_DIGEST);
      expect(methodsOf(registry)).toEqual(['HEAD', 'GET', 'GET']);
      expect(registry.requests.at(-1)?.path).toBe(`/v2/team/app/manifests/${INDEX_DIGEST}`);
    }),
  );

  it(
    'fault 9: blake3, and sha256 is not served → digest_not_served',
    inWorld(async (world) => {
      const registry = await world.place();
      registry.answer(
        { when: { path: `/v2/team/app/manifests/${INDEX_DIGEST}` }, status: 404 },
        header(`blake3:${HEX}`),
      );
      expect(await world.digestOf(registry.image)).toBe('digest_not_served');
    }),
  );
});
