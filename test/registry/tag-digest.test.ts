import { describe, expect, it } from '@jest/globals';

import { computeDigest } from '../../src/image/digest.ts';
import { askOnce, linesOf, lookUp } from '../support/look-up.ts';
import { createRegistryStack } from '../support/registry-stack.ts';
import { type Rule, startRegistry } from '../support/scripted-registry.ts';

const INDEX = JSON.stringify({ schemaVersion: 2, manifests: [] });
const DIGEST = computeDigest(Buffer.from(INDEX));
const TAG = '/v2/team/app/manifests/1.0';
const BY_DIGEST = `/v2/team/app/manifests/${DIGEST}`;
const HOUR_MS = 3_600_000;

const NO_HEAD: Rule = { when: { method: 'HEAD' }, status: 405 };

describe('createTagDigests()', () => {
  it('sends no second HEAD to a registry that does not know it, for an hour', async () => {
    await using registry = await startRegistry([NO_HEAD, { body: INDEX }]);
    let nowMs = 1_000_000;
    await using stack = createRegistryStack({ plainHttp: [registry.host], now: () => nowMs });
    const first = [`HEAD ${TAG}`, `GET ${TAG}`];
    await lookUp(stack, registry);
    expect(linesOf(registry)).toEqual(first);
    nowMs += HOUR_MS;
    expect(await lookUp(stack, registry)).toMatchObject({ digest: DIGEST });
    expect(linesOf(registry)).toEqual([...first, `GET ${TAG}`]);
    nowMs += 1;
    await lookUp(stack, registry);
    expect(linesOf(registry)).toEqual([...first, `GET ${TAG}`, ...first]);
  });

  it('goes on with HEAD where only this one told no digest', async () => {
    await using registry = await startRegistry([{ body: INDEX }]);
    await using stack = createRegistryStack({ plainHttp: [registry.host] });
    await lookUp(stack, registry);
    await lookUp(stack, registry);
    expect(linesOf(registry)).toEqual([`HEAD ${TAG}`, `GET ${TAG}`, `HEAD ${TAG}`, `GET ${TAG}`]);
  });

  it.each<[number, string]>([
    [404, 'not_found'],
    [403, 'unauthorized'],
  ])('believes a HEAD that is answered %i, whatever GET would say', async (status, code) => {
    const { answer, lines } = await askOnce([
      { when: { method: 'HEAD' }, status },
      { body: INDEX },
    ]);
    expect(answer).toMatchObject({ code });
    expect(lines).toEqual([`HEAD ${TAG}`]);
  });
});

describe('createTagDigests() for a person', () => {
  const DENIED = { status: 403, body: '{"errors":[{"code":"DENIED","message":"canary"}]}' };

  it.each<[string, Rule, string]>([
    ['the reason', DENIED, 'answered 403 (not found, or no access), DENIED'],
    ['what it says instead', { status: 500 }, 'answered 500'],
  ])('asks a registry that refused a HEAD for %s', async (_, refusal, message) => {
    const rules = [{ when: { method: 'HEAD' }, status: 403 }, refusal] satisfies readonly Rule[];
    const { answer, lines } = await askOnce(rules, { asksReasons: true });
    expect(answer).toMatchObject({ message: expect.stringContaining(message) });
    expect(lines).toEqual([`HEAD ${TAG}`, `GET ${TAG}`]);
  });

  it('has the digest of a registry that knows no HEAD, and says 404', async () => {
    const rules: readonly Rule[] = [{ when: { method: 'HEAD' }, status: 404 }, { body: INDEX }];
    const { answer } = await askOnce(rules, { asksReasons: true });
    expect(answer).toMatchObject({ digest: DIGEST, source: 'body' });
  });

  it.each([401, 429, 503])('asks for no reason of a %i', async (status) => {
    const { lines } = await askOnce([{ status }], { asksReasons: true });
    expect(lines).toEqual([`HEAD ${TAG}`]);
  });
});

describe('createTagDigests() with a digest that no reference can carry', () => {
  const FOREIGN = { 'docker-content-digest': `blake3:${'a'.repeat(64)}` };
  const served: Rule = { when: { path: TAG }, headers: FOREIGN, body: INDEX };

  it('takes the sha256 that the registry serves as well', async () => {
    const { answer, lines } = await askOnce([served, { when: { path: BY_DIGEST }, body: INDEX }]);
    expect(answer).toMatchObject({ digest: DIGEST, source: 'body' });
    expect(lines).toEqual([`HEAD ${TAG}`, `GET ${TAG}`, `GET ${BY_DIGEST}`]);
  });

  it('takes none that the registry does not serve', async () => {
    const { answer } = await askOnce([served, { when: { path: BY_DIGEST }, status: 404 }]);
    expect(answer).toMatchObject({ code: 'digest_not_served' });
  });

  it.each([
    ['a'.repeat(64)],
    ['blake3:'],
    ['sha256:'.concat('A'.repeat(64))],
    ['no digest at all'],
  ])('takes %j for no digest, and asks for nothing more', async (value) => {
    const headers = { 'docker-content-digest': value };
    const { answer, lines } = await askOnce([{ headers, body: INDEX }]);
    expect(answer).toMatchObject({ digest: DIGEST });
    expect(lines).toEqual([`HEAD ${TAG}`, `GET ${TAG}`]);
  });
});
