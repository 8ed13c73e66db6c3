import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';

import { runTagpin } from '../test/support/process.ts';
import { binaryPath } from './support/binaries.ts';
import { readEnvironment } from './support/environment.ts';
import { eventually } from './support/eventually.ts';
import { Kubectl } from './support/kubectl.ts';
import { TestImage } from './support/test-image.ts';
import { createNamespace } from './support/test-namespace.ts';
import { Webhook } from './support/webhook.ts';
import { workload } from './support/workload.ts';

const run = promisify(execFile);
const environment = readEnvironment();
const { kubeconfig, registry } = environment;
const admin = new Kubectl(kubeconfig);
const inOwn = new Kubectl(kubeconfig, 'tagpin-system');
const webhook = new Webhook(environment);
const FLAGS = [`--plain-http=${registry.host}`, '--allow-address=127.0.0.0/8'];

interface Line {
  readonly id: string;
  readonly about?: string;
  readonly status: 'ok' | 'warning' | 'failed';
  readonly says: string;
  readonly command?: string;
}

interface Examined {
  readonly code: number;
  readonly lines: readonly Line[];
}

let shop: Kubectl;

beforeAll(async () => {
  await webhook.start();
  const image = await TestImage.ofOnePlatform(registry);
  shop = await createNamespace(kubeconfig, { mode: 'pin' });
  await shop.apply(workload('Pod', { image: image.tagged }));
  await setReady('True');
});
afterAll(async () => {
  await setReady('False');
  await webhook.stop();
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

async function examine(namespace: string = shop.namespace ?? ''): Promise<Examined> {
  const args = ['doctor', '-o', 'json', `--kubeconfig=${kubeconfig}`, ...FLAGS];
  const { code, stdout } = await runTagpin([...args, `--namespaces=${namespace}`]);
  const { checks } = JSON.parse(stdout) as { readonly checks: readonly Line[] };
  return { code, lines: checks };
}

function failed({ lines }: Examined): readonly Line[] {
  return lines.filter(({ status }) => status === 'failed');
}

describe('tagpin doctor', () => {
  it('finds nothing wrong with an installation as the manifests make it', async () => {
    const { code, lines } = await examine();
    expect(lines.filter(({ status }) => status !== 'ok').map(({ id }) => id)).toEqual([
      'replica-clock',
    ]);
    expect(code).toBe(0);
  });
});
