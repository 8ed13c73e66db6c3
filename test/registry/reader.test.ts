import { once } from 'node:events';

import { describe, expect, it } from '@jest/globals';

import type { Credential } from '../../src/credentials/credential.ts';
import { computeDigest, type Digest } from '../../src/image/digest.ts';
import { INDEX, INDEX_DIGEST, INDEX_TYPE, issues, unauthorized } from '../support/answers.ts';
import { failureOf } from '../support/failure-of.ts';
import { linesOf } from '../support/look-up.ts';
import { createRegistryStack, type RegistryStack } from '../support/registry-stack.ts';
import { type Rule, type ScriptedRegistry, startRegistry } from '../support/scripted-registry.ts';

const REPOSITORY = 'team/app';
const MANIFEST = `/v2/${REPOSITORY}/manifests/1.0`;
const BLOB = Buffer.from('a layer, or a config');
const BLOB_DIGEST = computeDigest(BLOB);
const BLOB_PATH = `/v2/${REPOSITORY}/blobs/${BLOB_DIGEST}`;
const ALICE: Credential = { username: 'alice', password: 'canary-password' };
const BASIC = `Basic ${btoa('alice:canary-password')}`;
const MIB = 1024 * 1024;

interface Stage extends AsyncDisposable {
  readonly registry: ScriptedRegistry;
  readonly stack: RegistryStack;
}

/** A registry with these answers, and all that asks it. */
async function stage(rules: readonly Rule[], plain: readonly string[] = []): Promise<Stage> {
  const registry = await startRegistry(rules);
  const stack = createRegistryStack({ plainHttp: [registry.host, ...plain] });
  return {
    registry,
    stack,
    [Symbol.asyncDispose]: async () => {
      await stack[Symbol.asyncDispose]();
      await registry[Symbol.asyncDispose]();
    },
  };
}

type How = Parameters<RegistryStack['placeOf']>[1];

function readManifest({ registry, stack }: Stage, suffix = ':1.0', how?: How) {
  const place = stack.placeOf(`${registry.host}/${REPOSITORY}${suffix}`, how);
  return stack.reader.manifest(place.endpoint, place.reference, place.how);
}

function openBlob({ registry, stack }: Stage, digest: Digest = BLOB_DIGEST, more?: How) {
  const place = stack.placeOf(`${registry.host}/${REPOSITORY}`, more);
  return stack.reader.blob(place.endpoint, place.reference, { ...place.how, digest });
}

async function bytesOf(content: AsyncIterable<Uint8Array>): Promise<Buffer> {
  const chunks: Uint8Array[] = [];
  for await (const chunk of content) chunks.push(chunk);
  return Buffer.concat(chunks);
}

describe('RegistryReader.manifest()', () => {
  it('reads the bytes as they are served, and takes whatever is there, indexes first', async () => {
    const headers = { 'content-type': `${INDEX_TYPE}; charset=utf-8` };
    await using at = await stage([{ when: { path: MANIFEST }, headers, body: INDEX }]);
    const { digest, mediaType, bytes } = await readManifest(at);
    expect({ digest, mediaType }).toEqual({ digest: INDEX_DIGEST, mediaType: INDEX_TYPE });
    expect(Buffer.from(bytes)).toEqual(INDEX);
    expect(linesOf(at.registry)).toEqual([`GET ${MANIFEST}`]);
    expect(at.registry.requests[0]?.headers.accept).toMatch(
      /^application\/vnd\.oci\.image\.index.*, \*\/\*$/,
    );
  });

  it('believes the bytes and not the header of a tag, and says so', async () => {
    const headers = { 'docker-content-digest': `sha256:${'0'.repeat(64)}` };
    await using at = await stage([{ headers, body: INDEX }]);
    expect(await readManifest(at)).toMatchObject({ digest: INDEX_DIGEST });
    expect(at.stack.mismatches).toEqual([at.registry.host]);
  });

  it('has the sha512 of a registry that names it', async () => {
    const digest = computeDigest(INDEX, 'sha512');
    await using at = await stage([{ headers: { 'docker-content-digest': digest }, body: INDEX }]);
    expect(await readManifest(at)).toMatchObject({ digest });
    expect(await readManifest(at, `@${digest}`)).toMatchObject({ digest });
    expect(at.registry.requests[1]?.path).toBe(`/v2/${REPOSITORY}/manifests/${digest}`);
  });

  it('refuses other bytes than those of the digest it asked for, whatever the header says', async () => {
    const wanted = `sha256:${'a'.repeat(64)}`;
    await using at = await stage([{ headers: { 'docker-content-digest': wanted }, body: INDEX }]);
    expect(await failureOf(readManifest(at, `@${wanted}`))).toMatchObject({
      code: 'digest_not_served',
      message: `${at.registry.host} serves other bytes by ${wanted}`,
    });
  });

  it('asks for no digest that it cannot verify', async () => {
    await using at = await stage([{ body: INDEX }]);
    const failure = await failureOf(readManifest(at, `@sha384:${'a'.repeat(96)}`));
    expect(failure.code).toBe('invalid_reference');
    expect(at.registry.requests).toEqual([]);
  });

  const artifact = { schemaVersion: 2, artifactType: 'application/x', config: {}, layers: [] };
  const OCI_ARTIFACT = 'application/vnd.oci.artifact.manifest.v1+json';
  const SCHEMA_1 = 'application/vnd.docker.distribution.manifest.v1+prettyjws';

  it.each<[string, readonly [contentType: string, body: object], string]>([
    ['what is no image', [OCI_ARTIFACT, { blobs: [] }], OCI_ARTIFACT],
    ['schema 1', [SCHEMA_1, { schemaVersion: 1 }], SCHEMA_1],
    [
      'a file of a plain server',
      ['text/plain', artifact],
      'application/vnd.oci.image.manifest.v1+json',
    ],
    [
      'what says it in itself',
      ['application/octet-stream', { mediaType: 'application/vnd.x+json' }],
      'application/vnd.x+json',
    ],
    ['what is nothing', ['no type', { mediaType: '\u001b[2J' }], 'application/octet-stream'],
  ])('reads %s', async (_, [contentType, body], mediaType) => {
    const headers = { 'content-type': contentType };
    await using at = await stage([{ headers, body: JSON.stringify(body) }]);
    expect(await readManifest(at)).toMatchObject({ mediaType });
  });

  it('reads 4 MiB, and no byte more', async () => {
    await using at = await stage([
      { when: { path: MANIFEST }, body: Buffer.alloc(4 * MIB, ' ') },
      { body: Buffer.alloc(4 * MIB + 1, ' ') },
    ]);
    expect((await readManifest(at)).bytes).toHaveLength(4 * MIB);
    const failure = await failureOf(readManifest(at, ':2'));
    expect(failure).toMatchObject({ code: 'invalid_response' });
    expect(failure.message).toContain('sent more than 4194304 bytes');
  });

  it('tells the code of the registry, and nothing else of its answer', async () => {
    const body = '{"errors":[{"code":"MANIFEST_UNKNOWN","message":"canary"}]}';
    await using at = await stage([{ status: 404, body }]);
    expect(await failureOf(readManifest(at))).toMatchObject({
      code: 'not_found',
      message: `${at.registry.host} answered 404 (not found), MANIFEST_UNKNOWN`,
    });
  });
});

describe('RegistryReader.blob()', () => {
  it('gets a token once for the whole repository, with the second credential where the first is refused', async () => {
    const bob = { username: 'bob', password: 'b' };
    await using at = await stage([
      issues({ token: 't' }, { when: { path: '/token', headers: { authorization: BASIC } } }),
      { when: { path: '/token' }, status: 401 },
      { when: { path: BLOB_PATH, headers: { authorization: 'Bearer t' } }, body: BLOB },
      { when: { path: MANIFEST, headers: { authorization: 'Bearer t' } }, body: INDEX },
      unauthorized('Bearer realm="/token",service="r",scope="repository:team/app:pull"'),
    ]);
    const how = { credentials: [bob, ALICE] };
    const { sizeBytes, content } = await openBlob(at, BLOB_DIGEST, how);
    expect(sizeBytes).toBe(BLOB.length);
    expect(await bytesOf(content)).toEqual(BLOB);
    const cold = linesOf(at.registry).length;
    await readManifest(at, ':1.0', { credentials: [ALICE] });
    expect(linesOf(at.registry).slice(cold)).toEqual([`GET ${MANIFEST}`]);
  });

  it('follows a redirect to where the bytes lie, which is told no credential', async () => {
    await using store = await startRegistry([{ when: { path: '/bytes' }, body: BLOB }]);
    const headers = { location: `${store.origin}/bytes?signature=s` };
    await using at = await stage(
      [
        { when: { path: BLOB_PATH, headers: { authorization: BASIC } }, status: 307, headers },
        unauthorized('Basic realm="r"'),
      ],
      [store.host],
    );
    const { content } = await openBlob(at, BLOB_DIGEST, { credentials: [ALICE] });
    expect(await bytesOf(content)).toEqual(BLOB);
    expect(store.requests.map(({ query }) => query.get('signature'))).toEqual(['s']);
    expect(store.requests[0]?.headers).not.toHaveProperty('authorization');
  });

  it('is led to no address that must not be asked', async () => {
    const headers = { location: 'http://169.254.169.254/latest' };
    await using at = await stage([{ status: 307, headers }]);
    expect(await failureOf(openBlob(at))).toMatchObject({ code: 'blocked_address' });
  });

  it.each<[string, Digest]>([
    ['sha256', `sha256:${'b'.repeat(64)}`],
    ['sha512', `sha512:${'b'.repeat(128)}`],
  ])('gives other bytes than those of a %s as they come, and then fails', async (_, digest) => {
    await using at = await stage([{ body: BLOB }]);
    const { content } = await openBlob(at, digest);
    const read: Uint8Array[] = [];
    const failure = await failureOf(
      (async () => {
        for await (const chunk of content) read.push(chunk);
      })(),
    );
    expect(Buffer.concat(read)).toEqual(BLOB);
    expect(failure).toMatchObject({
      code: 'invalid_response',
      message: `${at.registry.host} served bytes that are not those of ${digest}`,
    });
  });

  it('verifies sha512', async () => {
    await using at = await stage([{ body: BLOB }]);
    const { content } = await openBlob(at, computeDigest(BLOB, 'sha512'));
    expect(await bytesOf(content)).toEqual(BLOB);
  });

  it.each<[string, Rule]>([
    ['breaks off', { fault: 'reset_in_body' }],
    ['sends less than it announced', { headers: { 'content-length': '100' }, fault: 'cut_short' }],
  ])('fails where the server %s', async (_, rule) => {
    await using at = await stage([rule]);
    const { content } = await openBlob(at);
    expect(await failureOf(bytesOf(content))).toMatchObject({
      code: 'unavailable',
      host: '127.0.0.1',
    });
  });

  it('ends the request where it is left early, and no sooner: a time that is over ends none', async () => {
    const closed = Promise.withResolvers<void>();
    await using at = await stage([
      {
        fault: 'endless_body',
        observe: (response) => void once(response, 'close').then(() => closed.resolve()),
      },
    ]);
    const time = new AbortController();
    const { content } = await openBlob(at, BLOB_DIGEST, { signal: time.signal });
    time.abort(new Error('the time for its beginning is over'));
    let read = 0;
    for await (const chunk of content) {
      read += chunk.length;
      if (read > MIB) break;
    }
    await closed.promise;
    expect(read).toBeGreaterThan(MIB);
  });

  it('gives up on a server that does not begin', async () => {
    await using at = await stage([{ fault: 'silence' }]);
    const time = new AbortController();
    const opening = failureOf(openBlob(at, BLOB_DIGEST, { signal: time.signal }));
    await at.registry.received(1);
    time.abort(new DOMException('over', 'TimeoutError'));
    expect(await opening).toMatchObject({ code: 'deadline_exceeded' });
  });
});

describe('RegistryReader with a token of the registry', () => {
  const TOKEN: Credential = { username: '', password: '', registryToken: 'canary-token' };
  const HAS_TOKEN = { headers: { authorization: 'Bearer canary-token' } };

  it('sends it with the first request, and exchanges it for nothing', async () => {
    await using at = await stage([{ when: HAS_TOKEN, body: INDEX }]);
    await readManifest(at, ':1.0', { credentials: [TOKEN] });
    expect(linesOf(at.registry)).toEqual([`GET ${MANIFEST}`]);
  });

  it.each([401, 403])(
    'asks no token server, and not without it, where it is answered %i',
    async (status) => {
      await using at = await stage([
        issues({ token: 't' }),
        { when: HAS_TOKEN, ...unauthorized('Bearer realm="/token"'), status },
        { body: INDEX },
      ]);
      const failure = await failureOf(readManifest(at, ':1.0', { credentials: [TOKEN] }));
      expect(failure.code).toBe('unauthorized');
      expect(failure.message).toContain(`answered ${status}`);
      expect(failure.message).not.toContain('canary');
      expect(linesOf(at.registry)).toEqual([`GET ${MANIFEST}`]);
    },
  );

  it('shows it to nobody to whom the registry redirects', async () => {
    await using other = await startRegistry([{ body: INDEX }]);
    const location = `${other.origin}/there`;
    await using at = await stage(
      [{ when: HAS_TOKEN, status: 302, headers: { location } }],
      [other.host],
    );
    await readManifest(at, ':1.0', { credentials: [TOKEN] });
    expect(other.requests.map(({ headers }) => headers.authorization)).toEqual([undefined]);
  });
});
