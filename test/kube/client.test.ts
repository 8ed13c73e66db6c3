import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { afterAll, beforeAll, describe, expect, it, jest } from '@jest/globals';

import { PinError } from '../../src/errors.ts';
import { type ClusterReader, createClusterReader } from '../../src/kube/client.ts';
import { describeError } from '../../src/log.ts';
import { type Authority, createAuthority, type KeyPair } from '../support/certificate.ts';
import { kubeconfigText } from '../support/kubeconfig.ts';
import { type Rule, type ScriptedRegistry, startRegistry } from '../support/scripted-registry.ts';
import { until } from '../support/until.ts';

const JSON_TYPE = { 'content-type': 'application/json' };

function answers(path: string, body: object): Rule {
  return { when: { method: 'GET', path }, headers: JSON_TYPE, body: JSON.stringify(body) };
}

/** As an API server refuses. */
function refuses(path: string, code: number): Rule {
  const status = { kind: 'Status', apiVersion: 'v1', status: 'Failure', code, message: 'canary' };
  return { when: { path }, status: code, headers: JSON_TYPE, body: JSON.stringify(status) };
}

const SECRET = {
  kind: 'Secret',
  apiVersion: 'v1',
  metadata: { name: 'regcred', namespace: 'team' },
  type: 'kubernetes.io/dockerconfigjson',
  data: { '.dockerconfigjson': 'e30=' },
};

const READS_AT_A_TIME = 32;
const READS_OF_A_NAMESPACE = 8;

/** Timers that are moved by hand; sockets go on as ever. */
function fakeClock(): Disposable & { readonly pass: (ms: number) => void } {
  jest.useFakeTimers({ doNotFake: ['nextTick', 'queueMicrotask', 'setImmediate', 'performance'] });
  return {
    pass: (ms) => {
      jest.advanceTimersByTime(ms);
    },
    [Symbol.dispose]: () => {
      jest.useRealTimers();
    },
  };
}

const OTHERWISE = 'something else does';

function readerOf(...files: readonly string[]): ClusterReader {
  return createClusterReader({ files }, OTHERWISE);
}

const SECRETS = '/api/v1/namespaces/team/secrets';
const ACCOUNTS = '/api/v1/namespaces/team/serviceaccounts';
const PODS = '/api/v1/namespaces/team/pods';

describe('createClusterReader()', () => {
  let directory: string;
  let server: ScriptedRegistry;
  let reader: ClusterReader;
  let authority: Authority;
  let pair: KeyPair;

  async function kubeconfigFor(origin: string): Promise<string> {
    const file = join(directory, `${encodeURIComponent(origin)}.json`);
    await writeFile(file, kubeconfigText(origin, authority.certificate));
    return file;
  }

  beforeAll(async () => {
    directory = await mkdtemp(join(tmpdir(), 'tagpin-kube-'));
    authority = await createAuthority();
    pair = await authority.issue(['127.0.0.1']);
    const rules: Rule[] = [
      answers(`${SECRETS}/regcred`, SECRET),
      refuses(`${SECRETS}/gone`, 404),
      refuses(`${SECRETS}/forbidden`, 403),
      refuses(`${SECRETS}/broken`, 500),
      { when: { path: `${SECRETS}/silent` }, fault: 'silence' },
      { when: { path: `${SECRETS}/html` }, body: '<html>canary</html>' },
      answers(`${ACCOUNTS}/builder`, {
        kind: 'ServiceAccount',
        apiVersion: 'v1',
        metadata: { name: 'builder' },
        imagePullSecrets: [{ name: 'one' }, {}, { name: 'two' }],
      }),
      answers(`${ACCOUNTS}/default`, { kind: 'ServiceAccount', apiVersion: 'v1', metadata: {} }),
      refuses(`${ACCOUNTS}/gone`, 404),
      refuses(`${ACCOUNTS}/forbidden`, 403),
      answers(`${PODS}/web`, {
        kind: 'Pod',
        apiVersion: 'v1',
        metadata: { name: 'web' },
        spec: { serviceAccountName: 'builder', imagePullSecrets: [{ name: 'one' }, {}] },
      }),
      answers(`${PODS}/bare`, { kind: 'Pod', apiVersion: 'v1', metadata: { name: 'bare' } }),
      refuses(`${PODS}/gone`, 404),
      refuses(`${PODS}/forbidden`, 403),
    ];
    server = await startRegistry(rules, pair);
    reader = readerOf(await kubeconfigFor(server.origin));
    await reader.load();
  });
  afterAll(async () => {
    await server[Symbol.asyncDispose]();
    await rm(directory, { recursive: true });
  });

  it('reads a Secret with get alone, as the user of the kubeconfig', async () => {
    const before = server.requests.length;
    expect(await reader.readSecret('team', 'regcred')).toMatchObject({
      type: SECRET.type,
      data: SECRET.data,
      metadata: { name: 'regcred' },
    });
    const requests = server.requests.slice(before);
    expect(requests).toHaveLength(1);
    expect(requests[0]).toMatchObject({
      method: 'GET',
      path: `${SECRETS}/regcred`,
      headers: { authorization: 'Bearer canary-token' },
    });
  });

  it('reads the names of the pull secrets of a ServiceAccount', async () => {
    expect(await reader.readPullSecretNames('team', 'builder')).toEqual(['one', 'two']);
  });

  it('tells a ServiceAccount without pull secrets from one that is missing', async () => {
    expect(await reader.readPullSecretNames('team', 'default')).toEqual([]);
    expect(await reader.readPullSecretNames('team', 'gone')).toBeUndefined();
  });

  it('reads whose pull secrets a Pod has', async () => {
    expect(await reader.readPod('team', 'web')).toEqual({
      pullSecrets: ['one'],
      serviceAccount: 'builder',
    });
    expect(await reader.readPod('team', 'bare')).toEqual({
      pullSecrets: [],
      serviceAccount: 'default',
    });
    expect(await reader.readPod('team', 'gone')).toBeUndefined();
    await expect(reader.readPod('team', 'forbidden')).rejects.toMatchObject({
      code: 'forbidden_secret',
      message: 'tagpin may not read pods "team/forbidden"',
    });
  });

  it('lists Pods by a label, a hundred at most, as the API server has them', async () => {
    const items = [{ metadata: { name: 'web-1' }, spec: { odd: [1] } }];
    const list = { kind: 'PodList', apiVersion: 'v1', metadata: {}, items };
    await using api = await startRegistry([answers(PODS, list)], pair);
    const pods = readerOf(await kubeconfigFor(api.origin));
    expect(await pods.listPods('team', 'pod-template-hash=5d9c')).toEqual(items);
    expect(api.requests).toMatchObject([
      {
        method: 'GET',
        path: PODS,
        headers: { authorization: 'Bearer canary-token' },
      },
    ]);
    const { query } = api.requests[0] ?? {};
    expect(Object.fromEntries(query ?? [])).toEqual({
      labelSelector: 'pod-template-hash=5d9c',
      limit: '100',
    });
    expect(await pods.listPods('../team', 'a=b')).toEqual([]);
    expect(api.requests).toHaveLength(1);
  });

  it.each<[string, Rule, string, string]>([
    ['may not', refuses(PODS, 403), 'forbidden_secret', 'tagpin may not read pods "team"'],
    [
      'cannot',
      refuses(PODS, 500),
      'secret_unreadable',
      'the API server answered 500 when asked for pods "team"',
    ],
    [
      'had better not, as they are more than 4 MiB,',
      { when: { path: PODS }, headers: JSON_TYPE, body: `{"items":["${'x'.repeat(4 << 20)}"]}` },
      'secret_unreadable',
      'the API server did not answer when asked for pods "team"',
    ],
  ])('says that it %s list Pods', async (...[, rule, code, message]) => {
    await using api = await startRegistry([rule], pair);
    const pods = readerOf(await kubeconfigFor(api.origin));
    await expect(pods.listPods('team', 'a=b')).rejects.toMatchObject({ code, message });
  });

  it('has undefined for a Secret that is missing', async () => {
    expect(await reader.readSecret('team', 'gone')).toBeUndefined();
  });

  it.each([
    ['forbidden', 'forbidden_secret', 'tagpin may not read secrets "team/forbidden"'],
    [
      'broken',
      'secret_unreadable',
      'the API server answered 500 when asked for secrets "team/broken"',
    ],
  ])('says that a Secret is %s', async (name, code, message) => {
    await expect(reader.readSecret('team', name)).rejects.toMatchObject({
      name: 'PinError',
      code,
      message,
    });
  });

  it('says that a ServiceAccount may not be read', async () => {
    await expect(reader.readPullSecretNames('team', 'forbidden')).rejects.toMatchObject({
      code: 'forbidden_secret',
      message: 'tagpin may not read serviceaccounts "team/forbidden"',
    });
  });

  it('calls what is no object of Kubernetes unreadable', async () => {
    await expect(reader.readSecret('team', 'html')).rejects.toMatchObject({
      code: 'secret_unreadable',
    });
  });

  it.each(['forbidden', 'broken', 'html'])('repeats nothing of an answer: %s', async (name) => {
    const refused: unknown = await reader.readSecret('team', name).catch((error: unknown) => error);
    expect(refused).toBeInstanceOf(PinError);
    expect(JSON.stringify(describeError(refused))).not.toContain('canary');
  });

  it('waits three seconds for an API server that hangs, and no longer', async () => {
    const before = server.requests.length;
    using clock = fakeClock();
    const reading = reader.readSecret('team', 'silent');
    await server.received(before + 1);
    clock.pass(3000);
    await expect(reading).rejects.toMatchObject({
      code: 'secret_unreadable',
      message: 'the API server did not answer when asked for secrets "team/silent"',
    });
  });

  it('gives up its connections to an API server that hangs, and gives their places to the next', async () => {
    await using hanging = await startRegistry([{ fault: 'silence' }], pair);
    const patient = readerOf(await kubeconfigFor(hanging.origin));
    await patient.load();
    using clock = fakeClock();
    const readings = Array.from({ length: 40 }, (_, n) => patient.readSecret(`team-${n}`, 'name'));
    const ended = Promise.allSettled(readings);
    await hanging.received(READS_AT_A_TIME);
    expect(hanging.connections()).toBe(READS_AT_A_TIME);
    clock.pass(3000);
    await Promise.allSettled(readings.slice(0, READS_AT_A_TIME));
    // Their 3 s begin with their turn.
    await hanging.received(readings.length);
    clock.pass(3000);
    expect(new Set((await ended).map(({ status }) => status))).toEqual(new Set(['rejected']));
    await until(() => hanging.connections() === 0);
    expect(hanging.requests).toHaveLength(readings.length);
  });

  it('answers a namespace at once while another waits for 500 Secrets', async () => {
    const { promise: hold, resolve: release } = Promise.withResolvers<void>();
    const secret = { headers: JSON_TYPE, body: JSON.stringify(SECRET) };
    await using busy = await startRegistry(
      [
        { when: { path: '/api/v1/namespaces/victim/secrets/regcred' }, ...secret },
        { hold, ...secret },
      ],
      pair,
    );
    const shared = readerOf(await kubeconfigFor(busy.origin));
    await shared.load();
    using clock = fakeClock();
    const greedy = Array.from({ length: 500 }, (_, n) => shared.readSecret('greedy', `name-${n}`));
    await busy.received(READS_OF_A_NAMESPACE);
    expect(await shared.readSecret('victim', 'regcred')).toMatchObject({ type: SECRET.type });
    const others = busy.requests.filter(({ path }) => path.includes('/greedy/'));
    expect(others).toHaveLength(READS_OF_A_NAMESPACE);
    // Not even the 500th has used up any of its 3 s.
    clock.pass(2999);
    release();
    const some = greedy.slice(0, 2 * READS_OF_A_NAMESPACE);
    expect(await Promise.all(some)).toHaveLength(some.length);
    // The others find nobody, for each would have a connection of its own.
    void Promise.allSettled(greedy);
  });

  it('says that an API server is not there', async () => {
    const gone = await startRegistry([]);
    await gone[Symbol.asyncDispose]();
    const lonely = readerOf(await kubeconfigFor(gone.origin));
    await expect(lonely.readSecret('team', 'regcred')).rejects.toMatchObject({
      code: 'secret_unreadable',
      message: 'the API server did not answer when asked for secrets "team/regcred"',
    });
  });

  it.each([
    '..',
    '.',
    '../../other/secrets/regcred',
    'regcred/../other',
    'regcred?watch=true',
    'a b',
    'Regcred',
    'regcred\n',
    '%2e%2e',
    '',
    'a'.repeat(254),
  ])('asks for no object named %j, which cannot exist', async (name) => {
    const before = server.requests.length;
    expect(await reader.readSecret('team', name)).toBeUndefined();
    expect(await reader.readPullSecretNames('team', name)).toBeUndefined();
    expect(await reader.readSecret(name, 'regcred')).toBeUndefined();
    expect(server.requests).toHaveLength(before);
  });

  it('reads several kubeconfigs as kubectl does: the first of each name counts', async () => {
    const wrong = await kubeconfigFor('https://127.0.0.1:1');
    const right = await kubeconfigFor(server.origin);
    const other = join(directory, 'other');
    const contexts = [{ name: 'other', context: { cluster: 'elsewhere', user: 'u' } }];
    const clusters = [{ name: 'elsewhere', cluster: { server: 'https://127.0.0.1:1' } }];
    const file = { apiVersion: 'v1', kind: 'Config', 'current-context': 'other' };
    await writeFile(other, JSON.stringify({ ...file, contexts, clusters, users: [] }));
    const named = createClusterReader({ files: [other, right, wrong], context: 'x' }, OTHERWISE);
    expect(await named.readPullSecretNames('team', 'default')).toEqual([]);
    const current = readerOf(right, other);
    expect(await current.readPullSecretNames('team', 'default')).toEqual([]);
    const first = readerOf(other, right);
    await expect(first.readPullSecretNames('team', 'default')).rejects.toMatchObject({
      code: 'secret_unreadable',
    });
  });

  it('refuses a context that no kubeconfig has, and says which it has', async () => {
    const files = [await kubeconfigFor(server.origin)];
    const reading = createClusterReader({ files, context: 'nowhere' }, OTHERWISE).load();
    await expect(reading).rejects.toMatchObject({
      code: 'invalid_config',
      message: `Cannot reach an API server with ${files[0]}: it lacks the context "nowhere": it has "x"; ${OTHERWISE}`,
    });
  });

  it.each([
    ['a file of something else', {}, 'it is no kubeconfig, or has no contexts'],
    [
      'a context of a cluster that is not there',
      { contexts: [{ name: 'x', context: { cluster: 'c', user: 'u' } }], 'current-context': 'x' },
      'the context "x" names the cluster "c", which it lacks',
    ],
    [
      'no current context',
      { contexts: [{ name: 'x', context: { cluster: 'c', user: 'u' } }] },
      'it says of no context that it is the current one: it has "x"',
    ],
  ])('refuses %s, and says so', async (_, content, why) => {
    const file = join(directory, 'odd');
    await writeFile(file, JSON.stringify({ apiVersion: 'v1', kind: 'Config', ...content }));
    await expect(readerOf(file).load()).rejects.toMatchObject({
      code: 'invalid_config',
      message: `Cannot reach an API server with ${file}: ${why}; ${OTHERWISE}`,
    });
  });

  it.each([['no such file'], ['a file that is no kubeconfig']])(
    'refuses to start with %s',
    async (what) => {
      const file = join(directory, 'broken');
      if (what !== 'no such file') await writeFile(file, '{"clusters":[{}]}');
      await expect(readerOf(file).load()).rejects.toMatchObject({
        code: 'invalid_config',
        message: `Cannot reach an API server with ${file}; ${OTHERWISE}`,
      });
    },
  );

  it('refuses to start outside of a cluster without a kubeconfig', async () => {
    await expect(createClusterReader(undefined, OTHERWISE).load()).rejects.toMatchObject({
      code: 'invalid_config',
      message: expect.stringContaining(OTHERWISE),
    });
  });
});
