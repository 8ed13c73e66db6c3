import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';

import { EXPLANATION_CAUSE, writeExplanation } from '../../src/explain/document.ts';
import { digest } from '../support/admission.ts';
import { told } from '../support/answers.ts';
import { createAuthority } from '../support/certificate.ts';
import { pullSecret } from '../support/cluster.ts';
import { Files } from '../support/files.ts';
import { kubeconfigText } from '../support/kubeconfig.ts';
import { type Ended, runTagpin } from '../support/process.ts';
import { type Rule, type ScriptedRegistry, startRegistry } from '../support/scripted-registry.ts';

const PASSWORD = 'canary-password';
const BASIC = `Basic ${btoa(`alice:${PASSWORD}`)}`;
const DIGEST = digest('a');

let files: Files;
let registry: ScriptedRegistry;
let api: ScriptedRegistry;
/** Flags with which the webhook would ask the registry. */
let allowed: readonly string[];

beforeAll(async () => {
  files = new Files();
  registry = await startRegistry([
    { when: { path: '/v2/app/manifests/1', headers: { authorization: BASIC } }, ...told(DIGEST) },
    {
      when: { path: '/v2/app/manifests/1' },
      status: 401,
      headers: { 'www-authenticate': 'Basic realm="r"' },
    },
    { status: 404, body: '{"errors":[{"code":"MANIFEST_UNKNOWN"}]}' },
  ]);
  allowed = [`--plain-http=${registry.host}`, '--allow-address=127.0.0.0/8'];
  api = await startApiServer();
});
afterAll(async () => {
  await registry[Symbol.asyncDispose]();
  await api[Symbol.asyncDispose]();
  await files[Symbol.asyncDispose]();
});

/** As the API server passes on what the webhook says. */
function explained(): object {
  const message = writeExplanation(
    { version: '0', replica: 'tagpin-0', mode: 'pin' },
    {
      report: { image: 'app:1', outcome: 'pinned', result: 'app@x' },
      steps: [],
      pod: { allowed: true, image: 'app@x' },
    },
  );
  return { kind: 'Status', details: { causes: [{ reason: EXPLANATION_CAUSE, message }] } };
}

/** An API server of one namespace, with its kubeconfig beside it. */
async function startApiServer(): Promise<ScriptedRegistry> {
  const authority = await createAuthority();
  const namespace = '/api/v1/namespaces/shop';
  const object = (path: string, body: object): Rule => ({
    when: { method: 'GET', path: `${namespace}/${path}` },
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ apiVersion: 'v1', ...body }),
  });
  const secret = pullSecret('regcred', { [registry.host]: ['alice', PASSWORD] });
  const server = await startRegistry(
    [
      object('serviceaccounts/default', {
        kind: 'ServiceAccount',
        imagePullSecrets: [{ name: 'regcred' }],
      }),
      object('pods/web', { kind: 'Pod', spec: { imagePullSecrets: [{ name: 'regcred' }] } }),
      {
        when: { method: 'POST', path: `${namespace}/pods` },
        status: 403,
        headers: { 'content-type': 'application/json' },
        body: JSON.stringify(explained()),
      },
      object('secrets/regcred', { kind: 'Secret', ...secret }),
      { status: 404, headers: { 'content-type': 'application/json' }, body: '{"kind":"Status"}' },
    ],
    await authority.issue(['127.0.0.1']),
  );
  files.write('home/.kube/config', kubeconfigText(server.origin, authority.certificate));
  return server;
}

/** In a home with a kubeconfig and without a docker config. */
function explain(args: readonly string[], env: NodeJS.ProcessEnv = {}): Promise<Ended> {
  return runTagpin(['explain', ...args], { HOME: files.at('home'), ...env });
}

describe('tagpin explain', () => {
  it('finds the cluster as kubectl does, and says how the image is pinned', async () => {
    const image = `${registry.host}/app:1`;
    const asked = ['-n', 'shop', image, ...allowed];
    const [byHome, byVariable, byFlag] = await Promise.all([
      explain(asked),
      explain([...asked, '--pod=web'], {
        HOME: '/nowhere',
        KUBECONFIG: `/nowhere:${files.at('home/.kube/config')}`,
      }),
      explain([...asked, '-o', 'json', `--kubeconfig=${files.at('home/.kube/config')}`], {
        HOME: '/nowhere',
      }),
    ]);
    for (const { code, stderr } of [byHome, byVariable, byFlag]) {
      expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    }
    expect(byHome.stdout).toContain('ServiceAccount "shop/default" names pull secrets "regcred"');
    expect(byVariable.stdout).toContain('Pod "shop/web" names pull secrets "regcred"');
    for (const { stdout } of [byHome, byVariable]) {
      expect(stdout).toContain('Secret "shop/regcred" was read');
      expect(stdout).toMatch(/with {9}pull secret "regcred"\n/);
      expect(stdout).toContain(`answer       ${registry.host}/app@${DIGEST}\n`);
    }
    expect(JSON.parse(byFlag.stdout)).toMatchObject({ outcome: 'pinned', digest: DIGEST });
    for (const { stdout, stderr } of [byHome, byVariable, byFlag]) {
      expect(stdout + stderr).not.toMatch(/canary|alice/);
    }
  });

  it('asks no cluster without a namespace, and says that a credential is missing', async () => {
    const before = api.requests.length;
    const { code, stdout, stderr } = await explain([`${registry.host}/app:1`, ...allowed]);
    expect({ code, stderr }).toEqual({ code: 1, stderr: '' });
    expect(stdout).toContain('[unauthorized]');
    expect(stdout).toContain('docker login');
    expect(api.requests).toHaveLength(before);
  });

  it('has the webhook explain by a dry run, as the account of a Pod, and asks no registry', async () => {
    const before = registry.requests.length;
    const { code, stdout, stderr } = await explain(
      ['--via-webhook', '--pod=web', '-n', 'shop', '-o', 'json', `${registry.host}/app:1`],
      // Of the webhook, which has its own.
      { TAGPIN_SKIP: 'a/*' },
    );
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    expect(JSON.parse(stdout)).toMatchObject({ pod: 'web', outcome: 'pinned', result: 'app@x' });
    const asked = api.requests.find(({ method }) => method === 'POST');
    expect(asked?.query.get('dryRun')).toBe('All');
    expect(JSON.parse(asked?.body ?? '')).toMatchObject({
      spec: {
        imagePullSecrets: [{ name: 'regcred' }],
        containers: [{ image: `${registry.host}/app:1` }],
      },
    });
    expect(registry.requests).toHaveLength(before);
  });

  it('ends where the API server does not answer: who would pull is not known', async () => {
    const before = registry.requests.length;
    const file = files.write('dead', kubeconfigText('https://127.0.0.1:2', 'x'));
    const asked = ['-n', 'shop', `${registry.host}/app:1`, ...allowed];
    const { code, stdout, stderr } = await explain([...asked, `--kubeconfig=${file}`]);
    expect({ code, stdout }).toEqual({ code: 1, stdout: '' });
    expect(stderr).toContain('The API server https://127.0.0.1:2 did not answer GET /version');
    expect(stderr).toContain('connect ECONNREFUSED 127.0.0.1:2');
    expect(registry.requests).toHaveLength(before);
  });

  it("names the registry's own code of the error", async () => {
    const { code, stdout } = await explain([`${registry.host}/gone:1`, ...allowed]);
    expect(code).toBe(1);
    expect(stdout).toContain('answered 404 (not found), MANIFEST_UNKNOWN [not_found]');
  });

  it('refuses a registry that the webhook would refuse, and names the flag', async () => {
    const { code, stdout } = await explain([`${registry.host}/app:1`]);
    expect(code).toBe(1);
    expect(stdout).toContain('--allow-address 127.0.0.0/8');
    expect(stdout).toContain('[blocked_address]');
  });

  it('says what is wrong with a name', async () => {
    const { code, stdout } = await explain(['a:b:c']);
    expect(code).toBe(1);
    expect(stdout).toContain('Cannot read image reference "a:b:c"');
  });

  it.each([
    ['no image', [], 'missing required argument'],
    ['a Pod without a namespace', ['--pod=web', 'a'], 'need --namespace'],
    [
      'a Pod and an account',
      ['--pod=a', '--service-account=b', '-n', 'c', 'a'],
      'cannot be used with',
    ],
    ['the webhook and no namespace', ['--via-webhook', 'a'], '--via-webhook needs --namespace'],
    [
      'the webhook and a setting that is its own',
      ['--via-webhook', '-n', 'shop', '--skip=b/*', 'a'],
      '--skip says nothing with --via-webhook',
    ],
    [
      'a Pod that is not there, at the webhook',
      ['--via-webhook', '--pod=gone', '-n', 'shop', 'a'],
      'there is no Pod "shop/gone"',
    ],
    ['a Pod that is not there', ['--pod=gone', '-n', 'shop', 'a'], 'there is no Pod "shop/gone"'],
    ['no kubeconfig', ['--kubeconfig=/nowhere', '-n', 'shop', 'a'], 'Cannot reach an API server'],
    ['a setting that is wrong', ['--allow-address=x', 'a'], '--allow-address'],
    [
      'credentials for nobody',
      ['--cloud-credentials=google', '-n', 'shop', 'a'],
      'nobody may use them',
    ],
  ])('ends with 2 for %s', async (_, args, message) => {
    const { code, stderr } = await explain(args);
    expect(stderr).toContain(message);
    expect(code).toBe(2);
  });

  it('describes its flags with examples', async () => {
    const { code, stdout } = await explain(['--help']);
    expect(code).toBe(0);
    for (const text of [
      '--namespace',
      '--pod',
      '--kubeconfig',
      '--hosts-dir',
      'Examples:',
      'Exit codes:',
    ]) {
      expect(stdout).toContain(text);
    }
  });
});
