import { afterEach, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';

import type { CertificateObjects } from '../../src/certificates/ports.ts';
import { PinError } from '../../src/errors.ts';
import { createCertificateObjects } from '../../src/kube/certificate-objects.ts';
import { describeError } from '../../src/log.ts';
import { type Authority, createAuthority, type KeyPair } from '../support/certificate.ts';
import { Files } from '../support/files.ts';
import { kubeconfigText } from '../support/kubeconfig.ts';
import { type Rule, type ScriptedRegistry, startRegistry } from '../support/scripted-registry.ts';

const SECRETS = '/api/v1/namespaces/team/secrets';
const REGISTRATION = '/apis/admissionregistration.k8s.io/v1';
const MUTATING = `${REGISTRATION}/mutatingwebhookconfigurations/tagpin`;
const VALIDATING = `${REGISTRATION}/validatingwebhookconfigurations/tagpin`;
const DATA = { a: 'Yg==' };

function answers(path: string, status: number, body: object = {}): Rule {
  const headers = { 'content-type': 'application/json', date: 'Tue, 01 Jan 2030 00:00:00 GMT' };
  return { when: { path }, status, headers, body: JSON.stringify({ ...body, message: 'canary' }) };
}

function stored(kind: string, more: object = {}): object {
  return { kind, metadata: { name: 'tagpin', resourceVersion: '7' }, ...more };
}

let authority: Authority;
let pair: KeyPair;
let files: Files;
let server: ScriptedRegistry;

beforeAll(async () => {
  authority = await createAuthority();
  pair = await authority.issue(['127.0.0.1']);
});
beforeEach(() => {
  files = new Files();
});
afterEach(async () => {
  await server[Symbol.asyncDispose]();
  await files[Symbol.asyncDispose]();
});

async function objectsOf(...rules: readonly Rule[]): Promise<CertificateObjects> {
  server = await startRegistry([...rules], pair);
  const file = files.write('config', kubeconfigText(server.origin, authority.certificate));
  const secret = { namespace: 'team', name: 'certs' };
  return createCertificateObjects({ files: [file] }, { secret, configuration: 'tagpin' });
}

async function messageOf(read: Promise<unknown>): Promise<string> {
  const error = await read.then(
    () => undefined,
    (caught: unknown) => caught,
  );
  if (!(error instanceof PinError)) return 'none';
  return `${error.code}: ${error.message} ${error.cause === undefined ? '' : '(with its cause)'}`;
}

describe('createCertificateObjects()', () => {
  it('reads the configurations that there are, as they were sent', async () => {
    const one = stored('MutatingWebhookConfiguration', { webhooks: [{ name: 'a', newField: 1 }] });
    const objects = await objectsOf(answers(MUTATING, 200, one), answers(VALIDATING, 404));
    expect(await objects.readConfigurations()).toMatchObject([
      { kind: 'mutating', version: '7', object: one },
    ]);
  });

  it('reads the Secret with its version, and none where there is none', async () => {
    const path = `${SECRETS}/certs`;
    const once = { ...answers(path, 200, stored('Secret', { data: DATA })), times: 1 };
    const objects = await objectsOf(once, answers(path, 404));
    expect(await objects.readSecret()).toEqual({ version: '7', object: { data: DATA } });
    expect(await objects.readSecret()).toBeUndefined();
  });

  it('goes by the time of the API server, of any answer', async () => {
    const objects = await objectsOf(answers(`${SECRETS}/certs`, 404));
    await objects.readSecret();
    const nowMs = objects.nowMs();
    expect(new Date(nowMs).toISOString()).toMatch(/^2030-01-01T00:/);
  });

  it.each<[string, number, boolean]>([
    ['there', 201, true],
    ['somebody faster', 409, false],
  ])('creates the Secret where there was none: %s', async (_what, status, expected) => {
    const objects = await objectsOf(answers(SECRETS, status, stored('Secret')));
    expect(await objects.writeSecret(DATA, undefined)).toBe(expected);
    expect(server.requests.at(-1)?.method).toBe('POST');
    expect(JSON.parse(server.requests.at(-1)?.body ?? '')).toEqual({
      metadata: { name: 'certs' },
      type: 'Opaque',
      data: DATA,
    });
  });

  it.each<[string, number, boolean]>([
    ['there', 200, true],
    ['somebody faster', 409, false],
    ['gone', 404, false],
  ])('writes the data of the version that was read alone: %s', async (_what, status, expected) => {
    const objects = await objectsOf(answers(`${SECRETS}/certs`, status, stored('Secret')));
    expect(await objects.writeSecret(DATA, '7')).toBe(expected);
    const { method, headers, body } = server.requests.at(-1)!;
    expect([method, headers['content-type']]).toEqual(['PATCH', 'application/json-patch+json']);
    expect(JSON.parse(body)).toEqual([
      { op: 'replace', path: '/metadata/resourceVersion', value: '7' },
      { op: 'add', path: '/data', value: DATA },
    ]);
  });

  it.each<[number, boolean]>([
    [200, true],
    [409, false],
    [404, false],
  ])('patches a configuration, and tells %i by %j', async (status, expected) => {
    const objects = await objectsOf(answers(VALIDATING, status, stored('A')));
    const patch = [{ op: 'add', path: '/a', value: 1 }];
    expect(await objects.patchConfiguration('validating', patch)).toBe(expected);
    expect(JSON.parse(server.requests.at(-1)?.body ?? '')).toEqual(patch);
  });

  it.each<[number, (objects: CertificateObjects) => Promise<unknown>, string]>([
    [
      403,
      (objects) => objects.readSecret(),
      'tagpin may not get secrets "team/certs": built-in certificates need that right',
    ],
    [403, (objects) => objects.writeSecret(DATA, '7'), 'tagpin may not patch secrets "team/certs"'],
    [
      500,
      (objects) => objects.readSecret(),
      'the API server answered 500 when asked to get secrets "team/certs"',
    ],
  ])('says what was answered %i to, and nothing of the answer', async (status, act, expected) => {
    const objects = await objectsOf(answers(`${SECRETS}/certs`, status));
    const message = await messageOf(act(objects));
    expect(message).toContain(`cluster_unreadable: ${expected}`);
    expect(message).not.toContain('canary');
    expect(message).not.toContain('with its cause');
  });

  it('repeats nothing of a Secret that cannot be read as one', async () => {
    const headers = { 'content-type': 'application/json' };
    const cut = { when: { path: `${SECRETS}/certs` }, headers, body: 'canary' };
    const objects = await objectsOf(cut);
    const failure: unknown = await objects.readSecret().catch((error: unknown) => error);
    expect(failure).toMatchObject({ code: 'cluster_unreadable' });
    expect(JSON.stringify(describeError(failure))).not.toContain('canary');
  });

  it('says which right to a configuration is missing', async () => {
    const objects = await objectsOf(answers(MUTATING, 403), answers(VALIDATING, 404));
    expect(await messageOf(objects.readConfigurations())).toContain(
      'tagpin may not get mutatingwebhookconfigurations "tagpin"',
    );
  });

  it('says that nobody answered', async () => {
    const objects = await objectsOf();
    await server[Symbol.asyncDispose]();
    expect(await messageOf(objects.readSecret())).toContain('the API server did not answer');
    server = await startRegistry([], pair);
  });
});
