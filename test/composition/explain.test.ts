import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';

import { EXPLAIN_SETTINGS } from '../../src/commands/explain-settings.ts';
import { type ExplainedCluster, explainWith } from '../../src/composition/explain.ts';
import { PinError } from '../../src/errors.ts';
import type { ExplainAnswer, ExplainQuestion } from '../../src/explain/explanation.ts';
import type { Step } from '../../src/explain/step.ts';
import { readSettings } from '../../src/settings/setting.ts';
import { digest } from '../support/admission.ts';
import { issues, told, unauthorized, withAuthorization } from '../support/answers.ts';
import { Cluster, pullSecret } from '../support/cluster.ts';
import { Files } from '../support/files.ts';
import { type ScriptedRegistry, startRegistry } from '../support/scripted-registry.ts';

const PASSWORD = 'canary-password';
const TOKEN = 'canary-token';
const WRONG = 'canary-wrong';
const DIGEST = digest('a');

let registry: ScriptedRegistry;
let files: Files;
let cluster: Cluster;
/** The names of pull secrets of Pods, by `namespace/name`. */
let pods: Map<string, readonly string[]>;

beforeAll(async () => {
  files = new Files();
  registry = await startRegistry([]);
  const realm = `Bearer realm="${registry.origin}/token",service="s"`;
  registry.answer(
    {
      ...issues({ token: TOKEN }),
      when: { path: '/token', headers: { authorization: basic(PASSWORD) } },
    },
    { ...issues({}), status: 401 },
    { when: { path: '/v2/open/manifests/1' }, ...told(DIGEST) },
    {
      ...withAuthorization(`Bearer ${TOKEN}`, told(DIGEST)),
      when: { path: '/v2/team/app/manifests/1', headers: { authorization: `Bearer ${TOKEN}` } },
    },
    { when: { path: '/v2/team/app/manifests/1' }, ...unauthorized(realm) },
    { status: 404 },
  );
});
afterAll(async () => {
  await registry[Symbol.asyncDispose]();
  await files[Symbol.asyncDispose]();
});

beforeEach(() => {
  cluster = new Cluster();
  pods = new Map();
  cluster.secrets.set('shop/right', secretFor('right', PASSWORD));
  cluster.secrets.set('shop/wrong', secretFor('wrong', WRONG));
  cluster.secrets.set('shop/elsewhere', pullSecret('elsewhere', { 'example.com': ['bob', WRONG] }));
  cluster.accounts.set('shop/default', []);
  cluster.accounts.set('shop/builder', ['wrong', 'elsewhere', 'right']);
});

/** All that was told, to look for what must not be in it. */
const everything: string[] = [];

interface Explained {
  readonly answer: ExplainAnswer;
  /** Without what differs from run to run. */
  readonly steps: readonly object[];
}

async function explained(
  question: Partial<ExplainQuestion> & Pick<ExplainQuestion, 'image'>,
  flags: Readonly<Record<string, string>> = {},
): Promise<Explained> {
  const steps: Step[] = [];
  const named = { plainHttp: registry.host, allowAddress: '127.0.0.0/8', ...flags };
  const settings = readSettings(EXPLAIN_SETTINGS, { flags: named, environment: {} });
  const asked = { namespace: 'shop', pod: undefined, serviceAccount: undefined, ...question };
  const environment = { DOCKER_CONFIG: files.directory };
  const reader: ExplainedCluster = {
    ...cluster.reader,
    load: async () => {},
    readPod: async (namespace, name) => {
      const pullSecrets = pods.get(`${namespace}/${name}`);
      return pullSecrets && { pullSecrets, serviceAccount: 'builder' };
    },
  };
  const of = explainWith(asked.namespace === undefined ? undefined : reader, settings, {
    version: '0',
    environment,
  });
  const answer = await of(asked, (step) => steps.push(step));
  everything.push(JSON.stringify([steps, answer]));
  expect(steps.every(({ atMs }) => atMs >= 0)).toBe(true);
  return { answer, steps: steps.map(timeless) };
}

function timeless(step: Step): object {
  const fields = Object.entries(step).filter(([name]) => name !== 'atMs' && name !== 'ms');
  return Object.fromEntries(fields);
}

function basic(password: string): string {
  return `Basic ${btoa(`alice:${password}`)}`;
}

function secretFor(name: string, password: string): ReturnType<typeof pullSecret> {
  return pullSecret(name, { [registry.host]: ['alice', password] });
}

function found(name: string): object {
  return { step: 'cluster', kind: 'Secret', name: `shop/${name}`, result: 'found' };
}

function kinds({ steps }: Explained): string[] {
  return steps.map((step) => ('step' in step ? String(step.step) : ''));
}

describe('explainWith()', () => {
  it('tells each step of a look-up: secrets, credentials in their order, tokens, the answer', async () => {
    const image = `${registry.host}/team/app:1`;
    const { answer, steps } = await explained({ image, serviceAccount: 'builder' });
    const { host, origin } = registry;
    const manifest = {
      step: 'request',
      purpose: 'image',
      method: 'HEAD',
      host,
      path: '/v2/team/app/manifests/1',
    };
    const token = { step: 'request', purpose: 'token', method: 'GET', host, path: '/token' };
    expect(steps).toEqual([
      { step: 'image', registry: host, repository: 'team/app', tag: '1' },
      {
        step: 'cluster',
        kind: 'ServiceAccount',
        name: 'shop/builder',
        result: 'found',
        pullSecrets: ['wrong', 'elsewhere', 'right'],
      },
      found('wrong'),
      found('elsewhere'),
      found('right'),
      { step: 'credentials', own: ['pull secret "wrong"', 'pull secret "right"'], lent: [] },
      { step: 'cache', result: 'miss' },
      { step: 'places', places: [{ registry: host, origin, role: 'registry' }] },
      { step: 'asking', registry: host, origin },
      { step: 'credential', origin: 'pull secret "wrong"', lentBy: null },
      { ...manifest, authorization: null, answer: '401' },
      { ...token, authorization: 'Basic', answer: '401' },
      { step: 'credential', origin: 'pull secret "right"', lentBy: null },
      { ...manifest, authorization: null, answer: '401' },
      { ...token, authorization: 'Basic', answer: '200' },
      { ...manifest, authorization: 'Bearer', answer: '200' },
      { step: 'answered', registry: host, digest: DIGEST },
    ]);
    expect(answer).toMatchObject({
      outcome: 'pinned',
      found: { digest: DIGEST, host, source: 'header', attempts: 2, stale: false },
    });
  });

  it('takes the secrets of a Pod alone, and asks its ServiceAccount for none', async () => {
    pods.set('shop/web', ['right']);
    pods.set('shop/bare', []);
    const image = `${registry.host}/team/app:1`;
    expect((await explained({ image, pod: 'web' })).answer).toMatchObject({ outcome: 'pinned' });
    expect(cluster.reads).toEqual(['secret shop/right']);
    expect(await explained({ image, pod: 'bare' })).toMatchObject({
      answer: { outcome: 'failed', error: { code: 'unauthorized' } },
      steps: [
        { step: 'image' },
        { kind: 'Pod', name: 'shop/bare', result: 'found', pullSecrets: [] },
        { step: 'credentials', own: [], lent: [] },
        { step: 'cache' },
        { step: 'places' },
        { step: 'asking' },
        { step: 'credential', origin: null, lentBy: null },
        { step: 'request', authorization: null, answer: '401' },
        { step: 'request', purpose: 'token', authorization: null, answer: '401' },
        { step: 'answered', reason: 'unauthorized' },
      ],
    });
  });

  it('says that there is no such Pod', async () => {
    const asked = explained({ image: `${registry.host}/open:1`, pod: 'gone' });
    await expect(asked).rejects.toMatchObject({
      code: 'invalid_config',
      message: 'there is no Pod "shop/gone"',
    });
  });

  it('takes the secrets of the ServiceAccount "default" where none is named', async () => {
    await explained({ image: `${registry.host}/open:1` });
    expect(cluster.reads).toEqual(['account shop/default']);
  });

  it('names the rule of RBAC that is missing where a secret may not be read', async () => {
    const message = 'tagpin may not read secrets "shop/right"';
    cluster.secrets.set('shop/right', new PinError('forbidden_secret', message));
    cluster.accounts.set('shop/default', ['right', 'gone']);
    const { answer, steps } = await explained({ image: `${registry.host}/team/app:1` });
    expect(steps).toContainEqual({
      step: 'cluster',
      kind: 'Secret',
      name: 'shop/right',
      result: 'forbidden_secret',
      message,
      needs: { verb: 'get', resource: 'secrets', namespace: 'shop' },
    });
    expect(steps).toContainEqual({
      step: 'cluster',
      kind: 'Secret',
      name: 'shop/gone',
      result: 'missing',
    });
    expect(answer).toMatchObject({ outcome: 'failed', error: { code: 'forbidden_secret' } });
  });

  it('asks no cluster for a person, whose docker config counts alone', async () => {
    const auth = btoa(`alice:${PASSWORD}`);
    files.write('config.json', JSON.stringify({ auths: { [registry.host]: { auth } } }));
    const image = `${registry.host}/team/app:1`;
    const person = await explained({ image, namespace: undefined });
    files.remove('config.json');
    expect(person.answer).toMatchObject({ outcome: 'pinned' });
    expect(person.steps).toContainEqual({ step: 'credentials', own: [], lent: ['docker_config'] });
    expect(person.steps).toContainEqual(
      expect.objectContaining({ step: 'credential', lentBy: 'docker_config' }),
    );
    expect(kinds(person)).not.toContain('cluster');
    expect(cluster.reads).toEqual([]);
  });

  it('does not use the docker config of a person for a namespace', async () => {
    const auth = btoa(`alice:${PASSWORD}`);
    files.write('config.json', JSON.stringify({ auths: { [registry.host]: { auth } } }));
    const { answer } = await explained({ image: `${registry.host}/team/app:1` });
    files.remove('config.json');
    expect(answer).toMatchObject({ outcome: 'failed', error: { code: 'unauthorized' } });
  });

  it('asks a mirror first, and the registry where the mirror has not got it', async () => {
    await using mirror = await startRegistry([{ status: 404 }]);
    const table = `[host."${mirror.origin}"]\n  capabilities = ["pull", "resolve"]\n`;
    files.write(`hosts.d/${registry.host}/hosts.toml`, table);
    const { answer, steps } = await explained(
      { image: `${registry.host}/open:1` },
      { hostsDir: files.at('hosts.d') },
    );
    expect(answer).toMatchObject({ outcome: 'pinned' });
    expect(steps).toContainEqual({
      step: 'places',
      places: [
        { registry: mirror.host, origin: mirror.origin, role: 'mirror' },
        { registry: registry.host, origin: registry.origin, role: 'registry' },
      ],
    });
    expect(steps).toContainEqual(
      expect.objectContaining({ step: 'request', host: mirror.host, answer: '404' }),
    );
    expect(steps).toContainEqual(
      expect.objectContaining({ step: 'answered', registry: mirror.host, reason: 'not_found' }),
    );
  });

  it('refuses what the webhook would, with the flag that would allow it', async () => {
    const { answer } = await explained(
      { image: `${registry.host}/open:1` },
      { allowAddress: '', plainHttp: '' },
    );
    expect(answer).toMatchObject({
      outcome: 'failed',
      error: { code: 'blocked_address', message: expect.stringContaining('--allow-address') },
    });
  });

  it.each([
    ['carries a digest', 'already_pinned', `r.example.com/a:1@${DIGEST}`, {}],
    ['is on the list of --skip', 'skipped', 'kind.local/a:1', {}],
    ["is on a list of one's own", 'skipped', 'r.example.com/a:1', { skip: 'r.example.com/*' }],
  ])('looks nothing up where the image %s', async (...[, outcome, image, flags]) => {
    const asked = await explained({ image }, flags);
    expect(asked.answer).toMatchObject({ outcome });
    expect(kinds(asked)).toEqual(['image']);
  });

  it('names no tag of an image that has a digest', async () => {
    const { steps } = await explained({ image: `r.example.com/a@${DIGEST}` });
    expect(steps[0]).toMatchObject({ step: 'image', digest: DIGEST });
    expect(steps[0]).not.toHaveProperty('tag');
  });

  it('refuses a short name where the webhook does', async () => {
    const { answer } = await explained({ image: 'nginx' }, { shortNames: 'refuse' });
    expect(answer).toMatchObject({
      outcome: 'failed',
      error: {
        code: 'short_name',
        message: expect.stringContaining('docker.io/library/nginx:latest'),
      },
    });
  });

  it('refuses settings with which the webhook would not start', async () => {
    files.write('own.json', '{"auths":{}}');
    const asked = explained({ image: 'r.example.com/a' }, { dockerConfig: files.at('own.json') });
    await expect(asked).rejects.toMatchObject({
      code: 'invalid_config',
      message: expect.stringContaining('--own-credentials-namespaces'),
    });
  });

  it('has told nothing of any secret in all of that', () => {
    expect(everything.length).toBeGreaterThan(10);
    const all = everything.join('\n');
    for (const secret of [PASSWORD, TOKEN, WRONG, btoa(`alice:${PASSWORD}`), 'alice']) {
      expect(all).not.toContain(secret);
    }
  });
});
