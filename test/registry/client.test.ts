import { readFileSync } from 'node:fs';
import { inspect } from 'node:util';

import { describe, expect, it } from '@jest/globals';

import type { Credential } from '../../src/credentials/credential.ts';
import { PinError } from '../../src/errors.ts';
import { computeDigest } from '../../src/image/digest.ts';
import type { Lookup } from '../../src/registry/client.ts';
import { createRegistryStack, type RegistryStack } from '../support/registry-stack.ts';
import { type Rule, type ScriptedRegistry, startRegistry } from '../support/scripted-registry.ts';

const INDEX = readFileSync(new URL('../golden/pause-3.2.index', import.meta.url));
const INDEX_DIGEST = computeDigest(INDEX);
const INDEX_TYPE = 'application/vnd.docker.distribution.manifest.list.v2+json';
const SCHEMA_1 = 'application/vnd.docker.distribution.manifest.v1+prettyjws';
const OTHER_DIGEST = `sha256:${'a'.repeat(64)}`;
const PATH = '/v2/team/app/manifests/1.0';
const CANARY = 'canary-of-the-remote-body';

const ALICE: Credential = { username: 'alice', password: 'canary-password' };
const BOB: Credential = { username: 'bob', password: 'b' };

function basic({ username, password }: Credential): string {
  return `Basic ${btoa(`${username}:${password}`)}`;
}

function told(digest: string | readonly string[] = INDEX_DIGEST, type = INDEX_TYPE): Rule {
  const headers = { 'docker-content-digest': digest, 'content-type': type };
  return { when: { path: PATH }, headers };
}

/** GET answers the index, HEAD whatever the header says. */
function served(headers: Rule['headers'] = {}): Rule {
  return {
    when: { path: PATH },
    headers: { 'content-type': INDEX_TYPE, ...headers },
    body: INDEX,
  };
}

/** An index of that length, spaces included. */
function indexOfLength(length: number): Buffer {
  const json = Buffer.from(JSON.stringify({ schemaVersion: 2, manifests: [] }));
  return Buffer.concat([json, Buffer.alloc(length - json.length, ' ')]);
}

interface How {
  readonly credentials?: readonly Credential[];
  readonly path?: string;
  readonly deadlineMs?: number;
}

/** A registry with one client for it, and the tag `team/app:1.0`. */
async function ask(
  rules: readonly Rule[],
  how: How = {},
): Promise<{
  readonly answer: Lookup | PinError;
  readonly registry: ScriptedRegistry;
  readonly methods: readonly string[];
  readonly mismatches: readonly string[];
}> {
  await using registry = await startRegistry(rules);
  await using stack = createRegistryStack({ plainHttp: [registry.host] });
  const answer = await lookup(stack, registry, how);
  const methods = registry.requests.map(({ method }) => method);
  return { answer, registry, methods, mismatches: stack.mismatches };
}

async function lookup(
  stack: RegistryStack,
  { host }: ScriptedRegistry,
  { credentials = [], path = 'team/app:1.0', deadlineMs = 2000 }: How = {},
): Promise<Lookup | PinError> {
  const signal = AbortSignal.timeout(deadlineMs);
  try {
    return await stack.lookup(`${host}/${path}`, { credentials, signal });
  } catch (error) {
    if (error instanceof PinError) return error;
    throw error;
  }
}

describe('createRegistryClient()', () => {
  it('takes the digest of a HEAD, with one request', async () => {
    const { answer, registry } = await ask([told()]);
    expect(answer).toEqual({
      digest: INDEX_DIGEST,
      mediaType: INDEX_TYPE,
      host: registry.host,
      source: 'header',
      attempts: 1,
    });
    expect(registry.requests).toHaveLength(1);
    const [request] = registry.requests;
    expect(request).toMatchObject({ method: 'HEAD', path: PATH });
    expect(request?.headers).not.toHaveProperty('authorization');
  });

  it('asks for indexes first, in one Accept header, and for raw bytes', async () => {
    const { registry } = await ask([{ ...served(), when: { method: 'GET' } }, { status: 405 }]);
    expect(registry.requests).toHaveLength(2);
    for (const { headers } of registry.requests) {
      expect(headers.accept?.split(', ')).toEqual([
        'application/vnd.oci.image.index.v1+json',
        'application/vnd.docker.distribution.manifest.list.v2+json',
        'application/vnd.oci.image.manifest.v1+json',
        'application/vnd.docker.distribution.manifest.v2+json',
      ]);
      expect(headers['accept-encoding']).toBe('identity');
    }
  });

  it('asks for "latest" where the reference has no tag', async () => {
    const { registry } = await ask([{ ...told(), when: {} }], { path: 'team/app' });
    expect(registry.requests[0]?.path).toBe('/v2/team/app/manifests/latest');
  });

  it.each<[string, string]>([
    ['sha512', `sha512:${'b'.repeat(128)}`],
    ['a digest between spaces', ` ${OTHER_DIGEST}\t`],
  ])('believes %s', async (_what, digest) => {
    const { answer, methods } = await ask([told(digest)]);
    expect(answer).toMatchObject({ digest: digest.trim(), source: 'header' });
    expect(methods).toEqual(['HEAD']);
  });

  it.each<[string, Rule['headers']]>([
    ['absent', {}],
    ['empty', { 'docker-content-digest': '' }],
    ['without its algorithm', { 'docker-content-digest': 'a'.repeat(64) }],
    ['in upper case', { 'docker-content-digest': `sha256:${'A'.repeat(64)}` }],
    ['too short', { 'docker-content-digest': `sha256:${'a'.repeat(63)}` }],
    ['there twice', { 'docker-content-digest': [OTHER_DIGEST, INDEX_DIGEST] }],
    ['a list', { 'docker-content-digest': `${OTHER_DIGEST}, ${INDEX_DIGEST}` }],
    [
      'before more spaces than a cache should keep',
      { 'docker-content-digest': OTHER_DIGEST + ' '.repeat(8000) },
    ],
  ])('hashes the bytes of a GET where the header is %s', async (_what, headers) => {
    const { answer, methods, mismatches } = await ask([served(headers)]);
    expect(answer).toMatchObject({ digest: INDEX_DIGEST, mediaType: INDEX_TYPE, source: 'body' });
    expect(methods).toEqual(['HEAD', 'GET']);
    expect(mismatches).toEqual([]);
  });

  it('keeps no media type that is longer than one may be', async () => {
    const longest = `application/${'a'.repeat(243)}`;
    const { answer } = await ask([told(INDEX_DIGEST, longest)]);
    expect(answer).toMatchObject({ digest: INDEX_DIGEST, mediaType: longest });
    const { answer: hostile } = await ask([told(INDEX_DIGEST, `${longest}a`)]);
    expect(hostile).toMatchObject({ digest: INDEX_DIGEST, mediaType: undefined });
  });

  it.each([405, 501])('asks by GET where HEAD is answered %i', async (status) => {
    const { answer, methods } = await ask([
      { when: { method: 'HEAD' }, status },
      served({ 'docker-content-digest': INDEX_DIGEST }),
    ]);
    expect(answer).toMatchObject({ digest: INDEX_DIGEST, source: 'body' });
    expect(methods).toEqual(['HEAD', 'GET']);
  });

  it('takes the hash where the header of a GET disagrees, and tells', async () => {
    const { answer, registry, mismatches } = await ask([
      { when: { method: 'HEAD' }, status: 405 },
      served({ 'docker-content-digest': OTHER_DIGEST }),
    ]);
    expect(answer).toMatchObject({ digest: INDEX_DIGEST });
    expect(mismatches).toEqual([registry.host]);
  });

  it.each<[string, string]>([
    ['agrees', computeDigest(INDEX, 'sha512')],
    ['lies', `sha512:${'b'.repeat(128)}`],
  ])('verifies a sha512 that %s', async (what, digest) => {
    const { answer, mismatches } = await ask([
      { when: { method: 'HEAD' }, status: 405 },
      served({ 'docker-content-digest': digest }),
    ]);
    expect(answer).toMatchObject({ digest: what === 'agrees' ? digest : INDEX_DIGEST });
    expect(mismatches).toHaveLength(what === 'agrees' ? 0 : 1);
  });

  it('refuses schema 1, though its header has a digest', async () => {
    const body = JSON.stringify({ schemaVersion: 1, fsLayers: [] });
    const { answer } = await ask([{ ...told(INDEX_DIGEST, SCHEMA_1), body }]);
    expect(answer).toMatchObject({ code: 'unsupported_manifest' });
  });

  it.each<[number, string, string]>([
    [400, 'invalid_response', 'answered 400'],
    [401, 'unauthorized', 'answered 401 and asks for no scheme, asked without a credential'],
    [403, 'unauthorized', 'answered 403 (not found, or no access), asked without a credential'],
    [404, 'not_found', 'answered 404 (not found)'],
    [429, 'rate_limited', 'answered 429 (too many requests)'],
    [500, 'unavailable', 'answered 500'],
    [503, 'unavailable', 'answered 503'],
    [204, 'invalid_response', 'answered 204'],
    [304, 'invalid_response', 'answered 304'],
  ])('calls %i %s, and repeats nothing of the body', async (status, code, said) => {
    const { answer, registry, methods } = await ask([
      { when: { method: 'HEAD' }, status },
      { when: { method: 'GET' }, status, body: CANARY },
    ]);
    expect(answer).toMatchObject({ code, message: `${registry.host} ${said}` });
    expect(methods).toEqual(['HEAD']);
    const afterGet = await ask([
      { when: { method: 'HEAD' }, status: 405 },
      { status, ...(status !== 304 && status !== 204 && { body: CANARY }) },
    ]);
    expect(afterGet.answer).toMatchObject({ code });
    expect(inspect(afterGet.answer)).not.toContain(CANARY);
  });

  it('tells how long a registry asks to be left alone', async () => {
    const rule: Rule = { status: 429, headers: { 'retry-after': '7' } };
    const { answer } = await ask([rule]);
    expect(answer).toMatchObject({ code: 'rate_limited', retryAfterMs: 7000 });
  });

  it.each<[string, Rule]>([
    ['no JSON', { body: CANARY }],
    ['a list', { body: `["${CANARY}"]` }],
    ['compressed in spite of the request', { body: Buffer.from([0x1f, 0x8b, 8, 0]) }],
    ['endless', { fault: 'endless_body' }],
  ])('refuses a body that is %s', async (_what, rule) => {
    const { answer } = await ask([{ when: { method: 'HEAD' } }, rule]);
    expect(answer).toMatchObject({ code: 'invalid_response' });
    expect(inspect(answer)).not.toContain(CANARY);
  });

  it('reads a manifest of 4 MiB, and no more', async () => {
    const limit = 4 * 1024 * 1024;
    const head: Rule = { when: { method: 'HEAD' } };
    const fits = await ask([head, { body: indexOfLength(limit) }]);
    expect(fits.answer).toMatchObject({ digest: computeDigest(indexOfLength(limit)) });
    const tooLong = await ask([head, { body: indexOfLength(limit + 1) }]);
    expect(tooLong.answer).toMatchObject({
      code: 'invalid_response',
      message: `${tooLong.registry.host} sent more than ${limit} bytes`,
    });
  });

  it('ends at the deadline, in whatever part of the answer', async () => {
    for (const fault of ['silence', 'drip'] as const) {
      const head: Rule = { when: { method: 'HEAD' } };
      const rules = fault === 'drip' ? [head, { fault }] : [{ fault }];
      const { answer } = await ask(rules, { deadlineMs: 100 });
      expect(answer).toMatchObject({ code: 'deadline_exceeded' });
    }
  });
});

const ASKS_FOR_BASIC: Rule = {
  status: 401,
  headers: { 'www-authenticate': 'Basic realm="registry"' },
};

function withHeader(authorization: string, rule: Rule = told()): Rule {
  return { ...rule, when: { ...rule.when, headers: { authorization } } };
}

describe('createRegistryClient() with credentials', () => {
  it('answers a Basic challenge, and remembers that', async () => {
    await using registry = await startRegistry([withHeader(basic(ALICE)), ASKS_FOR_BASIC]);
    await using stack = createRegistryStack({ plainHttp: [registry.host] });
    for (const requests of [2, 3]) {
      const answer = await lookup(stack, registry, { credentials: [ALICE] });
      expect(answer).toMatchObject({ digest: INDEX_DIGEST, attempts: 1 });
      expect(registry.requests).toHaveLength(requests);
    }
  });

  it('sends no credential to a registry that does not ask for one', async () => {
    const { answer, registry } = await ask([told()], { credentials: [ALICE] });
    expect(answer).toMatchObject({ digest: INDEX_DIGEST });
    expect(registry.requests[0]?.headers).not.toHaveProperty('authorization');
  });

  it('says that a registry wants a credential where there is none', async () => {
    const { answer, registry, methods } = await ask([ASKS_FOR_BASIC]);
    expect(answer).toMatchObject({
      code: 'unauthorized',
      message: `${registry.host} asks for a user name and password, asked without a credential`,
    });
    expect(methods).toEqual(['HEAD']);
  });

  it.each([
    ['one line', 'Negotiate, Basic realm="registry"'],
    ['several lines', ['Negotiate', 'Basic realm="registry"']],
  ])('finds the challenge it can answer in %s', async (_what, challenge) => {
    const { answer } = await ask(
      [withHeader(basic(ALICE)), { status: 401, headers: { 'www-authenticate': challenge } }],
      { credentials: [ALICE] },
    );
    expect(answer).toMatchObject({ digest: INDEX_DIGEST });
  });

  it('says which schemes it cannot answer', async () => {
    const challenge = { 'www-authenticate': 'Negotiate, Digest realm="r"' };
    const { answer, registry } = await ask([{ status: 401, headers: challenge }], {
      credentials: [ALICE],
    });
    expect(answer).toMatchObject({
      code: 'unauthorized',
      message: `${registry.host} answered 401 and asks for negotiate, digest, asked with secret 1`,
    });
  });

  it('tries the next credential where the first is refused', async () => {
    const { answer, registry } = await ask([withHeader(basic(BOB)), ASKS_FOR_BASIC], {
      credentials: [ALICE, BOB],
    });
    expect(answer).toMatchObject({ digest: INDEX_DIGEST, attempts: 2 });
    expect(registry.requests.map(({ headers }) => headers.authorization)).toEqual([
      undefined,
      basic(ALICE),
      undefined,
      basic(BOB),
    ]);
  });

  it('tries no other credential where the registry does not answer', async () => {
    const { answer, methods } = await ask([{ status: 503 }], { credentials: [ALICE, BOB] });
    expect(answer).toMatchObject({ code: 'unavailable' });
    expect(methods).toEqual(['HEAD']);
  });

  it('ends with the first refusal and the count where all are refused', async () => {
    const { answer, registry, methods } = await ask([ASKS_FOR_BASIC], {
      credentials: [ALICE, BOB],
    });
    expect(answer).toMatchObject({
      code: 'unauthorized',
      host: registry.host,
      message: `${registry.host} answered 401 (not found, or no access), asked with secret 1, secret 2`,
    });
    // Two requests a credential: a registry that says 401 for ever is not asked for ever.
    expect(methods).toEqual(['HEAD', 'HEAD', 'HEAD', 'HEAD']);
    expect(inspect(answer)).not.toContain(ALICE.password);
  });

  it('never asks anonymously after a credential', async () => {
    const { answer } = await ask(
      [
        withHeader(basic(ALICE), { status: 403 }),
        { when: { headers: { authorization: null } }, ...ASKS_FOR_BASIC, times: 1 },
        told(),
      ],
      { credentials: [ALICE] },
    );
    expect(answer).toMatchObject({ code: 'unauthorized' });
  });

  it('does not send a credential to where a redirect leads, though that asks for it', async () => {
    await using other = await startRegistry([ASKS_FOR_BASIC]);
    await using registry = await startRegistry([
      { status: 307, headers: { location: `${other.origin}${PATH}` } },
    ]);
    await using stack = createRegistryStack({ plainHttp: [registry.host, other.host] });
    const answer = await lookup(stack, registry, { credentials: [ALICE] });
    expect(answer).toMatchObject({ code: 'unauthorized' });
    for (const { headers } of other.requests) expect(headers).not.toHaveProperty('authorization');
  });
});
