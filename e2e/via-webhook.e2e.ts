import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';

import { type Ended, runTagpin } from '../test/support/process.ts';
import { accountKubeconfig } from './support/account-kubeconfig.ts';
import { callByToken } from './support/caller-path.ts';
import { readEnvironment } from './support/environment.ts';
import { eventually } from './support/eventually.ts';
import { Kubectl } from './support/kubectl.ts';
import { installComponent } from './support/manifests.ts';
import { createPullSecret } from './support/pull-secret.ts';
import { TestImage } from './support/test-image.ts';
import { createNamespace } from './support/test-namespace.ts';
import { Webhook } from './support/webhook.ts';
import { workload } from './support/workload.ts';

const environment = readEnvironment();
const { kubeconfig, privateRegistry } = environment;
const { host, account = { username: '', password: '' } } = privateRegistry;
const admin = new Kubectl(kubeconfig);
const TOKEN = 'a'.repeat(52);
const tokenFile = join(environment.directory, 'via-webhook-token');
const known = `--caller-token-file=${tokenFile}`;
const webhook = new Webhook(environment, ['--explain-in-dry-run', known]);
const silent = new Webhook(environment, [known]);
const ANNOTATION = { 'tagpin.dev/explain': 'web' };

const cleanUp = new AsyncDisposableStack();
let directory: string;
let image: TestImage;
/** A namespace whose ServiceAccount "default" has the pull secret of the private registry. */
let kubectl: Kubectl;
let editor: string;

beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'tagpin-via-webhook-'));
  cleanUp.defer(() => rm(directory, { recursive: true }));
  cleanUp.defer(await installComponent(admin, 'explain'));
  await writeFile(tokenFile, TOKEN);
  cleanUp.defer(await callByToken(admin, TOKEN));
  for (const one of [webhook, silent]) cleanUp.defer(() => one.stop());
  await webhook.start();
  image = await TestImage.ofOnePlatform(privateRegistry);
  kubectl = await createNamespace(kubeconfig, { mode: 'enforce' });
  await createPullSecret(kubectl, 'regcred', { host, ...account });
  const patch = JSON.stringify({ imagePullSecrets: [{ name: 'regcred' }] });
  await kubectl.run(['patch', 'serviceaccount', 'default', `--patch=${patch}`]);
  editor = await userOf(kubectl, 'editor', 'clusterrole=edit');
  // The right comes to edit by a controller.
  await untilAllowed('editor');
  await untilPinned();
});
afterAll(() => cleanUp.disposeAsync());

/** The API server calls by the new path a moment after it was told. */
async function untilPinned(): Promise<void> {
  // Another image: what the tests ask for is not to be known.
  const input = workload('Pod', { image: (await TestImage.ofOnePlatform(privateRegistry)).tagged });
  const create = ['create', '--dry-run=server', '--output=json', '--filename=-'];
  await eventually(async () => {
    const { stdout } = await kubectl.run(create, { input });
    expect(stdout).toContain('@sha256:');
  });
}

/** A kubeconfig of a new account of a namespace, bound to a role there. */
async function userOf(of: Kubectl, name: string, role: string): Promise<string> {
  const { namespace = '' } = of;
  const written = await accountKubeconfig(of, name, directory);
  const subject = `--serviceaccount=${namespace}:${name}`;
  await of.run(['create', 'rolebinding', name, `--${role}`, subject]);
  return written;
}

/** `kubectl auth can-i` asks about no resource that an API server does not have. */
async function untilAllowed(name: string): Promise<void> {
  const { namespace = '' } = kubectl;
  const input = {
    apiVersion: 'authorization.k8s.io/v1',
    kind: 'SubjectAccessReview',
    spec: {
      user: `system:serviceaccount:${namespace}:${name}`,
      resourceAttributes: {
        namespace,
        verb: 'get',
        group: 'tagpin.dev',
        resource: 'explanations',
      },
    },
  };
  await eventually(async () => {
    const { stdout } = await admin.run(['create', '--filename=-', '--output=json'], { input });
    if (!JSON.parse(stdout).status.allowed) throw new Error(`${name} may get no explanations`);
  });
}

async function ask(
  as: string,
  args: readonly string[] = [],
  { of = kubectl, named = image.tagged }: { of?: Kubectl; named?: string } = {},
): Promise<Ended> {
  const asked = [named, `--namespace=${of.namespace}`, `--kubeconfig=${as}`, ...args];
  const ended = await runTagpin(['explain', '--via-webhook', ...asked], { HOME: '/nonexistent' });
  const { password, username } = account;
  for (const secret of [password, btoa(`${username}:${password}`)]) {
    expect(ended.stdout + ended.stderr).not.toContain(secret);
  }
  expect((await of.run(['get', 'pods', '--output=name'])).stdout).toBe('');
  return ended;
}

describe('tagpin explain --via-webhook', () => {
  it("tells an editor what the webhook does, with its own look-up and the namespace's pull secret", async () => {
    const { namespace = '' } = kubectl;
    const { code, stdout, stderr } = await ask(editor);
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    expect(stdout).toContain(`Secret "${namespace}/regcred" was read`);
    expect(stdout).toMatch(/with {9}pull secret "regcred"\n/);
    expect(stdout).toMatch(/request {6}HEAD .* with Basic: 200/);
    expect(stdout).toContain(`answer       ${await image.pinned()}\n`);
    expect(stdout).toContain(`its answer   the Pod with ${await image.pinned()}\n`);
    expect(stdout).toMatch(/webhook {6}tagpin .*, mode enforce\n/);
  });

  it('tells what its cache holds, as JSON too, of the account of a Pod that is named', async () => {
    const { code, stdout } = await ask(editor, ['-o', 'json', '--service-account=default']);
    expect(code).toBe(0);
    expect(JSON.parse(stdout)).toMatchObject({
      outcome: 'pinned',
      result: await image.pinned(),
      serviceAccount: 'default',
      stale: false,
      webhook: { mode: 'enforce' },
      answer: { allowed: true, image: await image.pinned() },
      steps: expect.arrayContaining([
        expect.objectContaining({ step: 'credentials', own: ['pull secret "regcred"'] }),
        expect.objectContaining({ step: 'cache', result: 'hit' }),
      ]),
    });
  });

  it('tells why an image cannot be pinned, though enforce refuses it, the Pods are counted, and restricted', async () => {
    const of = await createNamespace(kubeconfig, { mode: 'enforce' });
    const standard = 'pod-security.kubernetes.io/enforce=restricted';
    await admin.run(['label', 'namespace', of.namespace ?? '', standard]);
    await of.run(['create', 'quota', 'none', '--hard=pods=0']);
    const as = await userOf(of, 'bound', 'clusterrole=edit');
    const { code, stdout } = await ask(as, [], { of });
    expect(code).toBe(1);
    expect(stdout).toMatch(/answer {7}.* asks for a user name and password.* \[unauthorized\]\n/);
    expect(stdout).toContain('what to do   name a pull secret');
    expect(stdout).toMatch(/its answer {3}no Pod: /);
  });

  it('is for whoever may create Pods: the API server refuses a viewer', async () => {
    const { code, stdout } = await ask(await userOf(kubectl, 'viewer', 'clusterrole=view'));
    expect(code).toBe(1);
    expect(stdout).toContain('[may_not_create_pods]');
    expect(stdout).toContain('--clusterrole edit');
  });

  it('tells whoever may create Pods alone which right is missing, and to whom to give it', async () => {
    const { namespace = '' } = kubectl;
    await kubectl.run(['create', 'role', 'maker', '--verb=create', '--resource=pods']);
    const maker = await userOf(kubectl, 'maker', 'role=maker');
    const { code, stdout } = await ask(maker);
    expect(code).toBe(1);
    expect(stdout).toContain('may not get explanations.tagpin.dev');
    expect(stdout).not.toContain('regcred');
    const [, line = ''] = /kubectl (create rolebinding tagpin-explain .*)\n/.exec(stdout) ?? [];
    expect(line).toContain(`--serviceaccount ${namespace}:maker`);
    await kubectl.run(line.split(' '));
    await untilAllowed('maker');
    expect(await ask(maker)).toMatchObject({ code: 0 });
  });

  it('says that a namespace has not opted in, and not that its quota wants something', async () => {
    const of = await createNamespace(kubeconfig);
    await of.run(['create', 'quota', 'counted', '--hard=limits.cpu=1,requests.memory=1Gi']);
    const { code, stdout } = await ask(kubeconfig, [], { of });
    expect(code).toBe(1);
    expect(stdout).toContain('[not_opted_in]');
    expect(stdout).toContain(`kubectl label namespace ${of.namespace} tagpin.dev/mode=pin`);
  });

  it('explains nothing to a Pod that is made, which may have the annotation', async () => {
    const pod = workload('Pod', { image: image.tagged });
    const input = { ...pod, metadata: { name: 'real', annotations: ANNOTATION } };
    const { stdout } = await kubectl.run(['create', '--filename=-', '--output=json'], { input });
    const { metadata, spec } = JSON.parse(stdout);
    expect(spec.containers[0].image).toBe(await image.pinned());
    expect(Object.keys(metadata.annotations).toSorted()).toEqual([
      'tagpin.dev/explain',
      'tagpin.dev/originals',
    ]);
    await kubectl.run(['delete', 'pod', 'real', '--now']);
  });

  it('says that the webhook explains nothing where it was not told to', async () => {
    await webhook.stop();
    await silent.start();
    const { code, stdout } = await ask(editor);
    expect(code).toBe(1);
    expect(stdout).toContain('[explains_nothing]');
    expect(stdout).toContain('explainInDryRun');
  });
});
