import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';

import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';

import { createCertificateAuthority } from './support/certificate.ts';
import { stopAll } from './support/child-process.ts';
import { startControlPlane } from './support/control-plane.ts';
import { readEnvironment } from './support/environment.ts';
import { ImagePolicy } from './support/image-policy.ts';
import { Kubectl } from './support/kubectl.ts';
import { installManifests } from './support/manifests.ts';
import { waitForPods, waitForReplicaSet } from './support/ownership.ts';
import { pinsOf, pinsTo } from './support/pins.ts';
import { TestImage } from './support/test-image.ts';
import { createNamespace } from './support/test-namespace.ts';
import { Webhook } from './support/webhook.ts';
import { podTemplateOf, type StoredObject, workload } from './support/workload.ts';

const environment = readEnvironment();
const { registry } = environment;
const directory = join(environment.directory, 'image-policy');
/** It is asked by an API server that it does not know, of which it need read nothing. */
const webhook = new Webhook(environment, ['--no-cluster']);

interface Configuration {
  readonly webhooks: readonly { readonly clientConfig: { readonly caBundle: string } }[];
}

let policy: ImagePolicy;
let kubeconfig: string;

beforeAll(async () => {
  await mkdir(directory);
  const authority = await createCertificateAuthority();
  policy = await ImagePolicy.start(directory, authority);
  ({ kubeconfig } = await startControlPlane(directory, authority, {
    apiServer: policy.flags,
  }));
  const first = new Kubectl(environment.kubeconfig);
  const known = await first.get<Configuration>('mutatingwebhookconfiguration', 'tagpin');
  await installManifests(new Kubectl(kubeconfig), {
    port: environment.webhook.port,
    certificateAuthority: atob(known.webhooks[0]?.clientConfig.caBundle ?? ''),
  });
  await webhook.start();
});

afterAll(async () => {
  await webhook.stop();
  await stopAll(directory);
  await policy.stop();
});

// It only validates, and what validates comes after all that changes an object.
describe("the API server's own ImagePolicyWebhook, which refuses tags", () => {
  it('takes the Pods of a Deployment by tag, for their template is pinned', async () => {
    const image = await TestImage.ofOnePlatform(registry);
    const kubectl = await createNamespace(kubeconfig, { mode: 'pin' });

    await kubectl.apply(workload('Deployment', { image: image.tagged }));

    const deployment = await kubectl.get<StoredObject>('deployment', 'web');
    const [pod] = await waitForPods(kubectl, await waitForReplicaSet(kubectl, deployment));
    expect(pinsOf(podTemplateOf(pod))).toEqual(await pinsTo({ web: image }));
  });

  it('takes a Pod by tag, for tagpin has pinned it by then', async () => {
    const image = await TestImage.ofOnePlatform(registry);
    const kubectl = await createNamespace(kubeconfig, { mode: 'pin' });

    await kubectl.apply(workload('Pod', { image: image.tagged }));

    const pod = await kubectl.get<StoredObject>('pod', 'web');
    expect(pinsOf(podTemplateOf(pod))).toEqual(await pinsTo({ web: image }));
  });

  it.each([
    ['in a namespace without the label', {}],
    ['whose tag cannot be looked up, in mode "pin"', { mode: 'pin' }],
  ] as const)('refuses a Pod by tag %s', async (_where, labels) => {
    const image = await TestImage.ofOnePlatform(registry);
    const kubectl = await createNamespace(kubeconfig, labels);
    const input = workload('Pod', { image: `${image.name}:missing` });

    const { stderr } = await kubectl.run(['create', '--filename=-'], { input, mayFail: true });

    expect(stderr).toContain('an image has no digest');
  });
});
