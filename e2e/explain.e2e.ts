import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';

import { type Ended, runTagpin } from '../test/support/process.ts';
import { accountKubeconfig } from './support/account-kubeconfig.ts';
import { readEnvironment } from './support/environment.ts';
import type { Kubectl } from './support/kubectl.ts';
import { createPullSecret } from './support/pull-secret.ts';
import { TestImage } from './support/test-image.ts';
import { createNamespace } from './support/test-namespace.ts';
import { workload } from './support/workload.ts';

const { kubeconfig, privateRegistry } = readEnvironment();
const { host, account = { username: '', password: '' } } = privateRegistry;
/** As the webhook of these tests is started. */
const ALLOWED = [`--plain-http=${host}`, '--allow-address=127.0.0.0/8'];

let directory: string;
let image: TestImage;
let kubectl: Kubectl;

beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'tagpin-explain-'));
  image = await TestImage.ofOnePlatform(privateRegistry);
  kubectl = await createNamespace(kubeconfig);
  await createPullSecret(kubectl, 'regcred', { host, ...account });
  const patch = JSON.stringify({ imagePullSecrets: [{ name: 'regcred' }] });
  await kubectl.run(['patch', 'serviceaccount', 'default', `--patch=${patch}`]);
});
afterAll(() => rm(directory, { recursive: true }));

async function explain(args: readonly string[], as: string = kubeconfig): Promise<Ended> {
  const { namespace = '' } = kubectl;
  const asked = [image.tagged, '--namespace', namespace, `--kubeconfig=${as}`, ...ALLOWED];
  const ended = await runTagpin(['explain', ...asked, ...args], { HOME: '/nonexistent' });
  const { password, username } = account;
  for (const secret of [password, btoa(`${username}:${password}`)]) {
    expect(ended.stdout + ended.stderr).not.toContain(secret);
  }
  return ended;
}

/** A kubeconfig of a ServiceAccount of the namespace, which may read what these rules say. */
async function kubeconfigOf(name: string, rules: readonly string[]): Promise<string> {
  const { namespace = '' } = kubectl;
  const written = await accountKubeconfig(kubectl, name, directory);
  await kubectl.run(['create', 'role', name, '--verb=get', `--resource=${rules.join(',')}`]);
  const subject = `--serviceaccount=${namespace}:${name}`;
  await kubectl.run(['create', 'rolebinding', name, `--role=${name}`, subject]);
  return written;
}

describe('tagpin explain', () => {
  it('uses the pull secret of the ServiceAccount of a namespace', async () => {
    const { namespace = '' } = kubectl;
    const { code, stdout, stderr } = await explain([]);
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    expect(stdout).toContain(`ServiceAccount "${namespace}/default" names pull secrets "regcred"`);
    expect(stdout).toContain(`Secret "${namespace}/regcred" was read`);
    expect(stdout).toMatch(/with {9}pull secret "regcred"\n/);
    expect(stdout).toContain(`answer       ${await image.pinned()}\n`);
  });

  it('tells the same as JSON', async () => {
    const { stdout } = await explain(['-o', 'json', '--service-account=default']);
    expect(JSON.parse(stdout)).toMatchObject({
      outcome: 'pinned',
      result: await image.pinned(),
      steps: expect.arrayContaining([
        expect.objectContaining({ step: 'credentials', own: ['pull secret "regcred"'] }),
        expect.objectContaining({ step: 'request', authorization: 'Basic', answer: '200' }),
      ]),
    });
  });

  it('uses the pull secrets of a Pod', async () => {
    const podSpec = { imagePullSecrets: [{ name: 'regcred' }, { name: 'gone' }] };
    await kubectl.apply(workload('Pod', { image: image.tagged, podSpec }));
    const { code, stdout } = await explain(['--pod=web']);
    expect(code).toBe(0);
    expect(stdout).toContain(`/web" names pull secrets "regcred", "gone"`);
    expect(stdout).toContain(`/gone" does not exist`);
  });

  it('says which rule of RBAC is missing to whoever may not read the secret', async () => {
    const { namespace = '' } = kubectl;
    const as = await kubeconfigOf('onlooker', ['serviceaccounts']);
    const { code, stdout } = await explain([], as);
    expect(code).toBe(1);
    expect(stdout).toContain(`RBAC must allow get of secrets in "${namespace}"`);
    expect(stdout).toContain('[forbidden_secret]');
    expect(stdout).toContain('--clusterrole tagpin-pull-secret-reader');
    await kubectl.run([
      'create',
      'rolebinding',
      'reader',
      '--clusterrole=tagpin-pull-secret-reader',
      `--serviceaccount=${namespace}:onlooker`,
    ]);
    expect(await explain([], as)).toMatchObject({ code: 0, stderr: '' });
  });

  it('says the same of a Pod', async () => {
    const { namespace = '' } = kubectl;
    const as = await kubeconfigOf('stranger', ['configmaps']);
    const { code, stdout } = await explain(['--pod=web'], as);
    expect(code).toBe(1);
    expect(stdout).toContain(`RBAC must allow get of pods in "${namespace}"`);
    expect(stdout).toContain('--clusterrole view');
  });
});
