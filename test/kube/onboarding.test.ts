import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';

import { createOnboardedCluster } from '../../src/kube/onboarding.ts';
import type { OnboardedCluster } from '../../src/onboard/cluster.ts';
import { type Authority, createAuthority } from '../support/certificate.ts';
import { Files } from '../support/files.ts';
import { kubeconfigText } from '../support/kubeconfig.ts';
import { type Rule, type ScriptedRegistry, startRegistry } from '../support/scripted-registry.ts';

const GROUP = '/apis/db.example.com/v1';
const RESOURCES = {
  kind: 'APIResourceList',
  resources: [
    { name: 'databases/status', kind: 'Database', namespaced: true },
    { name: 'databases', kind: 'Database', namespaced: true },
    { name: 'zones', kind: 'Zone', namespaced: false },
    { name: '../../../api/v1/secrets', kind: 'Forged', namespaced: true },
  ],
};
const DATABASE = { kind: 'Database', metadata: { name: 'db' }, spec: { image: 'db:1' } };

function answers(path: string, body: object, status: number = 200): Rule {
  const headers = { 'content-type': 'application/json' };
  return { when: { method: 'GET', path }, status, headers, body: JSON.stringify(body) };
}

function refuses(path: string, code: number): Rule {
  return answers(path, { kind: 'Status', status: 'Failure', code, message: 'canary' }, code);
}

let authority: Authority;
let files: Files;
let server: ScriptedRegistry;
let cluster: OnboardedCluster;

beforeAll(async () => {
  authority = await createAuthority();
  files = new Files();
  const inShop = `${GROUP}/namespaces/shop/databases`;
  server = await startRegistry(
    [
      answers(GROUP, RESOURCES),
      answers(`${inShop}/db`, DATABASE),
      refuses(`${inShop}/gone`, 404),
      refuses(`${inShop}/hidden`, 403),
      answers('/api/v1/namespaces/shop', { metadata: { labels: { a: 'b' } } }),
      answers('/api/v1/namespaces/bare', { metadata: {} }),
      refuses('/api/v1/namespaces/gone', 404),
      refuses('/api/v1/namespaces/hidden', 403),
      refuses('/api/v1/namespaces/broken', 500),
      refuses('/apis/none.example.com/v1', 404),
    ],
    await authority.issue(['127.0.0.1']),
  );
  cluster = clusterOf('shop');
});
afterAll(async () => {
  await server[Symbol.asyncDispose]();
  await files[Symbol.asyncDispose]();
});

function clusterOf(namespace: string): OnboardedCluster {
  files.write('config', kubeconfigText(server.origin, authority.certificate));
  return createOnboardedCluster({ files: [files.at('config')] }, namespace);
}

function referenceTo(kind: string, name: string, apiVersion: string = 'db.example.com/v1') {
  return { apiVersion, kind, name, uid: 'u' };
}

describe('createOnboardedCluster().owner()', () => {
  it('finds a resource by its kind, and asks for the kinds of a group once', async () => {
    const before = server.requests.length;
    expect(await cluster.owner(referenceTo('Database', 'db'))).toEqual(DATABASE);
    expect(await cluster.owner(referenceTo('Database', 'db'))).toEqual(DATABASE);
    const asked = server.requests.slice(before).map(({ method, path }) => `${method} ${path}`);
    const object = `GET ${GROUP}/namespaces/shop/databases/db`;
    expect(asked).toEqual([`GET ${GROUP}`, object, object]);
  });

  it.each([
    ['is gone', referenceTo('Database', 'gone')],
    ['is of a kind that its group has not', referenceTo('Table', 'db')],
    ['is of a group that is not there', referenceTo('Database', 'db', 'none.example.com/v1')],
    ['is of no namespace', referenceTo('Zone', 'db')],
  ])('gives nothing where it %s', async (_, reference) => {
    expect(await cluster.owner(reference)).toBeUndefined();
  });

  it.each([
    referenceTo('Database', '../../../../../api/v1/namespaces/shop/secrets/x'),
    referenceTo('Database', '..'),
    referenceTo('Forged', 'x'),
    referenceTo('Database', 'db', '../v1'),
    referenceTo('Database', 'db', 'db.example.com/..'),
    referenceTo('Database', 'db', 'db.example.com/v1/more'),
    referenceTo('Node', 'db', 'v1'),
  ])(
    'asks for nothing that a reference may not name: $apiVersion $kind $name',
    async (reference) => {
      const before = server.requests.length;
      expect(await cluster.owner(reference)).toBeUndefined();
      expect(server.requests.slice(before).filter(({ path }) => path !== GROUP)).toEqual([]);
    },
  );

  it('says what may not be read, and nothing of the answer', async () => {
    await expect(cluster.owner(referenceTo('Database', 'hidden'))).rejects.toMatchObject({
      code: 'cluster_unreadable',
      message: 'Cannot read Database "shop/hidden": the API server answered 403',
    });
  });
});

describe('createOnboardedCluster().labels()', () => {
  it.each([
    ['shop', { a: 'b' }],
    ['bare', {}],
    ['hidden', undefined],
  ])('of %s are %j', async (namespace, labels) => {
    expect(await clusterOf(namespace).labels()).toEqual(labels);
  });

  it.each([
    ['gone', 'invalid_config', 'There is no namespace "gone"'],
    ['../pods', 'invalid_config', 'There is no namespace "../pods"'],
    ['broken', 'cluster_unreadable', 'Cannot read namespace "broken": the API server answered 500'],
  ])('of %s are %s', async (namespace, code, message) => {
    await expect(clusterOf(namespace).labels()).rejects.toMatchObject({ code, message });
  });
});
