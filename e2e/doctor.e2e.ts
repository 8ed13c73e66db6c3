import { execFile } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import { dirname } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals';

import { runTagpin } from '../test/support/process.ts';
import { accountKubeconfig } from './support/account-kubeconfig.ts';
import { asFile } from './support/as-file.ts';
import { binaryPath } from './support/binaries.ts';
import { createCertificateAuthority } from './support/certificate.ts';
import { readEnvironment } from './support/environment.ts';
import { eventually } from './support/eventually.ts';
import { freePort } from './support/free-port.ts';
import { Kubectl } from './support/kubectl.ts';
import { TestImage } from './support/test-image.ts';
import { createNamespace, labelNamespace } from './support/test-namespace.ts';
import { Webhook } from './support/webhook.ts';
import { workload } from './support/workload.ts';

const run = promisify(execFile);
const environment = readEnvironment();
const { kubeconfig, registry } = environment;
const admin = new Kubectl(kubeconfig);
const inOwn = new Kubectl(kubeconfig, 'tagpin-system');
const webhook = new Webhook(environment);
const CONFIGURATION = ['mutatingwebhookconfiguration', 'tagpin'];
const BINDING = ['clusterrolebinding', 'tagpin-pull-secret-reader'];
const TLS_SECRET = 'tagpin-tls';
const FLAGS = [`--plain-http=${registry.host}`, '--allow-address=127.0.0.0/8'];

interface Line {
  readonly id: string;
  readonly about?: string;
  readonly status: 'ok' | 'warning' | 'failed';
  readonly says: string;
  readonly advice?: string;
  readonly command?: string;
}

interface Examined {
  readonly code: number | null;
  readonly lines: readonly Line[];
}

let shop: Kubectl;
/** What tests break, as it was. */
let saved: readonly Saved[];

beforeAll(async () => {
  saved = await Promise.all([CONFIGURATION, BINDING].map((object) => stored(object)));
  await webhook.start();
  const image = await TestImage.ofOnePlatform(registry);
  shop = await createNamespace(kubeconfig, { mode: 'pin' });
  await shop.apply(workload('Pod', { image: image.tagged }));
  await setReady('True');
});
afterEach(putBack);
afterAll(async () => {
  await webhook.stop();
  await setReady('False');
});

/** There is no node: the Pods of the Deployment are as ready as they are said to be. */
async function setReady(status: 'True' | 'False'): Promise<void> {
  const patch = JSON.stringify({ status: { conditions: [{ type: 'Ready', status }] } });
  const count = status === 'True' ? 2 : 0;
  await eventually(async () => {
    const { stdout } = await inOwn.run(['get', 'pods', '--output=name']);
    for (const pod of stdout.split('\n').filter((line) => line !== '')) {
      await inOwn.run(['patch', pod, '--subresource=status', `--patch=${patch}`]);
    }
    const { status: now } = await inOwn.get<{ status: { readyReplicas?: number } }>(
      'deployment',
      'tagpin',
    );
    expect(now.readyReplicas ?? 0).toBe(count);
  });
}

/** Whoever looks, at one namespace. */
async function examine({ namespace = '', kubeconfig: as }: Kubectl = shop): Promise<Examined> {
  const args = ['doctor', '-o', 'json', `--kubeconfig=${as}`, ...FLAGS];
  const { code, stdout, stderr } = await runTagpin([...args, `--namespaces=${namespace}`]);
  expect(stderr).toMatch(/^\d+ ok, \d+ warnings, \d+ failed\n$/);
  const { checks } = JSON.parse(stdout) as { readonly checks: readonly Line[] };
  return { code, lines: checks };
}

/** What the doctor says failed, once that is these checks alone. */
async function untilFailed(ids: readonly string[], where: Kubectl = shop): Promise<Examined> {
  return eventually(async () => {
    const examined = await examine(where);
    const failed = examined.lines.filter(({ status }) => status === 'failed');
    expect([...new Set(failed.map(({ id }) => id))]).toEqual(ids);
    expect(examined.code).toBe(ids.length === 0 ? 0 : 1);
    return examined;
  });
}

/** Runs each command that is printed beside what failed, as a person pastes it. */
async function paste({ lines }: Examined): Promise<void> {
  const failed = lines.filter(({ status }) => status === 'failed');
  const env = {
    ...process.env,
    KUBECONFIG: kubeconfig,
    PATH: `${dirname(binaryPath('kubectl'))}:${process.env['PATH'] ?? ''}`,
  };
  for (const { command } of failed) {
    if (command === undefined) throw new Error('There is no command');
    await run('bash', ['-c', command], { env });
  }
}

interface Saved {
  readonly metadata: { readonly name: string };
}

interface Configuration extends Saved {
  readonly webhooks: readonly {
    readonly clientConfig: { readonly url: string; readonly caBundle: string };
  }[];
}

async function stored<T extends Saved>(object: readonly string[]): Promise<T> {
  return asFile(await admin.get<T>(...object));
}

/** Whatever became of a test: the next one, and other files, have the same control plane. */
async function putBack(): Promise<void> {
  for (const object of saved) {
    await admin.run(['replace', '--force', '--filename=-'], { input: object });
  }
  await inOwn.run(['delete', 'secret', TLS_SECRET, '--ignore-not-found']);
}

async function patchConfiguration(patch: readonly object[]): Promise<void> {
  await admin.run(['patch', ...CONFIGURATION, '--type=json', `--patch=${JSON.stringify(patch)}`]);
}

describe('tagpin doctor', () => {
  it('finds nothing wrong with an installation as the manifests make it', async () => {
    const { code, lines } = await examine();
    const wrong = lines.filter(({ status }) => status !== 'ok').map(({ id }) => id);
    // There is no network of Pods here.
    expect(new Set(wrong)).toEqual(new Set(['replica-clock']));
    expect(code).toBe(0);
  });

  it('notices that the webhook configuration is deleted, or has no entries', async () => {
    const configuration = await stored<Configuration>(CONFIGURATION);
    await admin.run(['delete', ...CONFIGURATION]);
    const { lines } = await untilFailed(['webhook-configuration']);
    const failed = lines.find(({ id }) => id === 'webhook-configuration');
    expect(failed?.advice).toContain('apply your kustomization again');
    const called = lines.find(({ id }) => id === 'called');
    expect(called?.says).toBe('not looked at, because webhook-configuration failed');
    await admin.apply({ ...configuration, webhooks: [] });
    await untilFailed(['webhook-configuration']);
    await putBack();
    expect((await untilFailed([])).code).toBe(0);
  });

  it('notices a wrong authority in the entries, and its command writes the right one', async () => {
    const { webhooks } = await stored<Configuration>(CONFIGURATION);
    const right = webhooks[0]?.clientConfig.caBundle ?? '';
    const secret = {
      apiVersion: 'v1',
      kind: 'Secret',
      metadata: { name: TLS_SECRET },
      data: {
        'ca.crt': right,
        'tls.crt': await readFile(environment.webhook.certificateFile, 'base64'),
      },
    };
    await inOwn.apply(secret);
    const { certificate } = await createCertificateAuthority();
    await patchConfiguration(
      webhooks.map((_, index) => ({
        op: 'replace',
        path: `/webhooks/${index}/clientConfig/caBundle`,
        value: Buffer.from(certificate).toString('base64'),
      })),
    );
    await paste(await untilFailed(['ca-bundle']));
    expect((await untilFailed([])).code).toBe(0);
  });

  it('notices entries that are changed, and its commands change them back', async () => {
    const { webhooks } = await stored<Configuration>(CONFIGURATION);
    await patchConfiguration([
      { op: 'replace', path: '/webhooks/0/failurePolicy', value: 'Fail' },
      { op: 'remove', path: '/webhooks/3/rules/0' },
      { op: 'add', path: '/webhooks/4/namespaceSelector/matchLabels/a', value: 'b' },
    ]);
    await paste(await untilFailed(['webhook-entries']));
    expect((await untilFailed([])).code).toBe(0);
    expect((await stored<Configuration>(CONFIGURATION)).webhooks).toEqual(webhooks);
  });

  it('notices that nothing answers where the API server calls', async () => {
    await webhook.stop();
    try {
      await untilFailed(['webhook-target']);
    } finally {
      await webhook.start();
    }
    expect((await untilFailed([])).code).toBe(0);
  });

  it('notices a right that is taken away, and its command gives it back', async () => {
    await admin.run(['delete', ...BINDING]);
    await paste(await untilFailed(['rights-pull-secrets']));
    expect((await untilFailed([])).code).toBe(0);
  });

  it('notices a namespace without the label, and its command opts it in', async () => {
    const bare = await createNamespace(kubeconfig);
    await bare.apply(workload('Pod', { image: (await TestImage.ofOnePlatform(registry)).tagged }));
    await paste(await untilFailed(['namespaces'], bare));
    expect((await untilFailed([], bare)).code).toBe(0);
  });

  it('notices a registry that does not answer', async () => {
    const kubectl = await createNamespace(kubeconfig);
    const image = await TestImage.ofOnePlatform(registry);
    const dead = `127.0.0.1:${await freePort()}`;
    await kubectl.apply(workload('Pod', { name: 'a', image: image.tagged }));
    await kubectl.apply(workload('Pod', { name: 'b', image: `${dead}/team/app:1` }));
    await labelNamespace(kubectl, { mode: 'enforce' });
    const { lines } = await untilFailed(['registry'], kubectl);
    expect(lines.filter(({ id }) => id === 'registry')).toMatchObject([
      { about: registry.host, status: 'ok' },
      { about: dead, status: 'failed', says: expect.stringContaining('[unavailable]') },
    ]);
  });

  it('says what it may not look at, with the right for it, and calls nothing of that well', async () => {
    const kubeconfigOfViewer = await accountKubeconfig(shop, 'viewer', environment.directory);
    const { code, lines } = await examine(new Kubectl(kubeconfigOfViewer, shop.namespace));
    expect(lines.filter(({ status }) => status === 'ok').map(({ id }) => id)).toEqual([
      'api-server',
      'policies-available',
      'clock',
    ]);
    const commands = lines.map(({ command }) => command);
    expect(commands).toContain('kubectl auth can-i list namespaces');
    expect(commands).toContain(
      'kubectl auth can-i create subjectaccessreviews.authorization.k8s.io',
    );
    expect(code).toBe(0);
  });
});
