import { describe, expect, it } from '@jest/globals';

import { computeDigest } from '../../src/image/digest.ts';
import { parseReference } from '../../src/image/reference.ts';
import { createVerification, type Verification } from '../../src/registry/verification.ts';
import { askOnce, linesOf, lookUp } from '../support/look-up.ts';
import { createRegistryStack } from '../support/registry-stack.ts';
import { type Rule, startRegistry } from '../support/scripted-registry.ts';

const INDEX = JSON.stringify({ schemaVersion: 2, manifests: [] });
const DIGEST = computeDigest(Buffer.from(INDEX));
const TAG = '/v2/team/app/manifests/1.0';
const BY_DIGEST = `/v2/team/app/manifests/${DIGEST}`;
const EVERY_HOST = ['127.0.0.1'];

const SERVED: Rule = {
  when: { path: TAG },
  headers: { 'docker-content-digest': DIGEST },
  body: INDEX,
};

/** Verifies what the registry of these rules serves. */
async function askVerified(rules: readonly Rule[]): ReturnType<typeof askOnce> {
  await using registry = await startRegistry(rules);
  const { host, requests } = registry;
  await using stack = createRegistryStack({ plainHttp: [host], verifyByDigest: [host] });
  return { answer: await lookUp(stack, registry), host, requests, lines: linesOf(registry) };
}

describe('createVerification()', () => {
  it('asks by GET for the tag, which a pull-through cache imports by, and then for the digest', async () => {
    const { answer, lines } = await askVerified([
      SERVED,
      { when: { path: BY_DIGEST }, body: INDEX },
    ]);
    expect(answer).toMatchObject({ digest: DIGEST, source: 'body', attempts: 1 });
    expect(lines).toEqual([`GET ${TAG}`, `GET ${BY_DIGEST}`]);
  });

  it('asks for a digest once', async () => {
    await using registry = await startRegistry([
      SERVED,
      { when: { path: BY_DIGEST }, body: INDEX },
    ]);
    const { host } = registry;
    await using stack = createRegistryStack({ plainHttp: [host], verifyByDigest: [host] });
    await lookUp(stack, registry);
    expect(await lookUp(stack, registry)).toMatchObject({ digest: DIGEST });
    expect(linesOf(registry)).toEqual([`GET ${TAG}`, `GET ${BY_DIGEST}`, `GET ${TAG}`]);
  });

  it.each<[string, Rule, string]>([
    ['404', { status: 404, body: 'canary' }, 'does not serve it by that digest'],
    ['other bytes', { body: `${INDEX} ` }, 'serves other bytes by it'],
  ])('refuses a digest that is answered with %s, and asks again', async (_what, rule, said) => {
    await using registry = await startRegistry([SERVED, rule]);
    const { host } = registry;
    await using stack = createRegistryStack({ plainHttp: [host], verifyByDigest: [host] });
    for (const requests of [2, 4]) {
      expect(await lookUp(stack, registry)).toMatchObject({
        name: 'PinError',
        code: 'digest_not_served',
        host,
        message: `${host} has the tag as ${DIGEST}, and ${said}`,
      });
      expect(registry.requests).toHaveLength(requests);
    }
  });

  it.each<[number, string]>([
    [401, 'unauthorized'],
    [403, 'unauthorized'],
    [429, 'rate_limited'],
    [500, 'unavailable'],
    [204, 'invalid_response'],
  ])('calls a %i by digest %s, as ever', async (status, code) => {
    const { answer } = await askVerified([SERVED, { status }]);
    expect(answer).toMatchObject({ code });
  });

  it.each([
    ['the image', 'docker.io/team'],
    ['the mirror', 'mirror.example.com/hub'],
  ])('verifies what a mirror serves where it is told so of %s', async (_what, prefix) => {
    await using registry = await startRegistry([
      { ...SERVED, when: {} },
      { when: { path: `/v2/hub/team/app/manifests/${DIGEST}` }, body: INDEX },
    ]);
    await using stack = createRegistryStack({
      plainHttp: [registry.host],
      verifyByDigest: [prefix],
    });
    const endpoint = {
      origin: registry.origin,
      registry: 'mirror.example.com',
      root: '/v2',
      repository: 'hub/team/app',
      isRegistry: false,
    };
    await stack.client.lookup(endpoint, parseReference('team/app:1.0'), {
      access: { own: [], lent: [], fingerprint: 'anonymous' },
      signal: AbortSignal.timeout(30_000),
    });
    expect(linesOf(registry)).toEqual([
      'GET /v2/hub/team/app/manifests/1.0',
      `GET /v2/hub/team/app/manifests/${DIGEST}`,
    ]);
  });

  it('asks again where the same server is another place', async () => {
    await using registry = await startRegistry([
      { ...SERVED, when: { path: TAG } },
      { when: { path: BY_DIGEST }, body: INDEX },
    ]);
    await using stack = createRegistryStack({
      plainHttp: [registry.host],
      verifyByDigest: ['docker.io'],
    });
    const place = { origin: registry.origin, registry: 'm.example.com', root: '/v2' };
    const mirror = { ...place, repository: 'team/app', isRegistry: false };
    const places = [
      mirror,
      { ...mirror, upstream: 'docker.io' },
      { ...mirror, connection: { named: true } },
      { ...mirror, connection: { named: true, tls: { id: 'client' } } },
    ];
    const access = { own: [], lent: [], fingerprint: 'anonymous' };
    for (const endpoint of [...places, ...places]) {
      const signal = AbortSignal.timeout(30_000);
      // oxlint-disable-next-line no-await-in-loop -- one after the other
      await stack.client.lookup(endpoint, parseReference('team/app:1.0'), { access, signal });
    }
    expect(linesOf(registry).filter((line) => line.endsWith(DIGEST))).toHaveLength(4);
  });

  it('asks nothing more of other images', async () => {
    const { answer, lines } = await askOnce([SERVED], { verifyByDigest: EVERY_HOST });
    expect(answer).toMatchObject({ digest: DIGEST, source: 'header' });
    expect(lines).toEqual([`HEAD ${TAG}`]);
  });
});

async function withPrefixes(
  prefixes: readonly string[],
  use: (verification: Verification) => void,
): Promise<void> {
  await using stack = createRegistryStack();
  const authorizer = {
    remembered: () => undefined,
    forget: () => undefined,
    answer: async () => '',
  };
  use(createVerification({ transport: stack.transport, authorizer }, prefixes));
}

describe('Verification.covers()', () => {
  it.each([
    ['1234.dkr.ecr.eu-west-1.amazonaws.com', '1234.dkr.ecr.eu-west-1.amazonaws.com/a/b', true],
    ['r.example.com/hub', 'r.example.com/hub/library/nginx:1', true],
    ['r.example.com/hub/', 'r.example.com/hub/library/nginx:1', true],
    ['r.example.com/hub', 'r.example.com/hub', true],
    ['r.example.com/hub', 'r.example.com/hubris/nginx', false],
    ['r.example.com/hub', 'r.example.com/a/hub/nginx', false],
    ['r.example.com', 'r.example.com.evil.test/nginx', false],
    ['r.example.com', 'r.example.com:5000/nginx', false],
    ['r.example.com:5000', 'r.example.com:5000/nginx', true],
    ['docker.io/library', 'nginx', true],
    ['docker.io', 'team/app', true],
    ['docker.io/library', 'team/app', false],
  ])('of %s says of %s: %s', async (prefix, image, expected) => {
    await withPrefixes(['other.example.com', prefix], ({ covers }) => {
      expect(covers(parseReference(image))).toBe(expected);
    });
  });

  it('is false without prefixes', async () => {
    await withPrefixes([], ({ covers }) => expect(covers(parseReference('nginx'))).toBe(false));
  });
});
