import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';

import { readEnvironment } from './support/environment.ts';
import type { Kubectl } from './support/kubectl.ts';
import { pinsOf, pinsTo, untouched } from './support/pins.ts';
import { createPullSecret } from './support/pull-secret.ts';
import { TestImage } from './support/test-image.ts';
import { createNamespace } from './support/test-namespace.ts';
import { Webhook } from './support/webhook.ts';
import {
  podTemplateOf,
  type StoredObject,
  type WorkloadKind,
  workload,
} from './support/workload.ts';

const environment = readEnvironment();
const { kubeconfig, privateRegistry } = environment;
const webhook = new Webhook(environment);

beforeAll(() => webhook.start());
afterAll(() => webhook.stop());

const KINDS: readonly WorkloadKind[] = ['Pod', 'Deployment'];

function pullSecrets(...names: readonly string[]): object {
  return { imagePullSecrets: names.map((name) => ({ name })) };
}

async function namespaceWithSecrets(): Promise<Kubectl> {
  const kubectl = await createNamespace(kubeconfig, { mode: 'pin' });
  const { host, account } = privateRegistry;
  const right = { username: '', password: '', ...account };
  await createPullSecret(kubectl, 'right', { host, ...right });
  await createPullSecret(kubectl, 'wrong', { host, ...right, password: 'another' });
  return kubectl;
}

describe('an image in a private registry', () => {
  it.each(KINDS)('of a %s is pinned with its pull secret', async (kind) => {
    const image = await TestImage.ofOnePlatform(privateRegistry);
    const kubectl = await namespaceWithSecrets();

    const podSpec = pullSecrets('right');
    await kubectl.apply(workload(kind, { image: image.tagged, podSpec }));

    const stored = podTemplateOf(await kubectl.get<StoredObject>(kind, 'web'));
    expect(pinsOf(stored)).toEqual(await pinsTo({ web: image }));
  });

  it.each(KINDS)(
    'of a %s is pinned with the second secret when the first is wrong',
    async (kind) => {
      const image = await TestImage.ofOnePlatform(privateRegistry);
      const kubectl = await namespaceWithSecrets();

      const podSpec = pullSecrets('wrong', 'right');
      await kubectl.apply(workload(kind, { image: image.tagged, podSpec }));

      const stored = podTemplateOf(await kubectl.get<StoredObject>(kind, 'web'));
      expect(pinsOf(stored)).toEqual(await pinsTo({ web: image }));
    },
  );

  it.each(KINDS)('of a %s is pinned with the secret of its ServiceAccount', async (kind) => {
    const image = await TestImage.ofOnePlatform(privateRegistry);
    const kubectl = await namespaceWithSecrets();
    const puller = { metadata: { name: 'puller' }, ...pullSecrets('right') };
    await kubectl.apply({ apiVersion: 'v1', kind: 'ServiceAccount', ...puller });

    const podSpec = { serviceAccountName: 'puller' };
    await kubectl.apply(workload(kind, { image: image.tagged, podSpec }));

    const stored = podTemplateOf(await kubectl.get<StoredObject>(kind, 'web'));
    expect(pinsOf(stored)).toEqual(await pinsTo({ web: image }));
  });

  it('is pinned with the secret of the default ServiceAccount when none is named', async () => {
    const image = await TestImage.ofOnePlatform(privateRegistry);
    const kubectl = await namespaceWithSecrets();
    const patch = JSON.stringify(pullSecrets('right'));
    await kubectl.run(['patch', 'serviceaccount', 'default', `--patch=${patch}`]);

    await kubectl.apply(workload('Deployment', { image: image.tagged }));

    const stored = podTemplateOf(await kubectl.get<StoredObject>('deployment', 'web'));
    expect(pinsOf(stored)).toEqual(await pinsTo({ web: image }));
  });

  it('is not pinned without a credential, and the warning says that one is missing', async () => {
    const image = await TestImage.ofOnePlatform(privateRegistry);
    const kubectl = await namespaceWithSecrets();

    const { stderr } = await kubectl.apply(workload('Deployment', { image: image.tagged }));

    const stored = podTemplateOf(await kubectl.get<StoredObject>('deployment', 'web'));
    expect(pinsOf(stored)).toEqual(untouched(image));
    expect(stderr).toContain('unauthorized');
  });

  it('is not pinned with a wrong secret, and the warning names it and tells nothing of it', async () => {
    const image = await TestImage.ofOnePlatform(privateRegistry);
    const kubectl = await namespaceWithSecrets();

    const podSpec = pullSecrets('wrong');
    const options = { image: image.tagged, podSpec };
    const { stderr } = await kubectl.apply(workload('Deployment', options));

    expect(stderr).toContain(`Cannot resolve "${image.tagged}" for container "web"`);
    expect(stderr).toMatch(
      /: 127\.0\.0\.1:\d+ answered 401 \(not found, or no access\), asked with pull secret "wrong"/u,
    );
    const { username = '' } = privateRegistry.account ?? {};
    for (const secret of ['another', username, btoa(`${username}:another`)]) {
      expect(stderr).not.toContain(secret);
    }
  });

  it('is not pinned with a secret of another namespace', async () => {
    const image = await TestImage.ofOnePlatform(privateRegistry);
    await namespaceWithSecrets();
    const kubectl = await createNamespace(kubeconfig, { mode: 'pin' });

    const podSpec = pullSecrets('right');
    const options = { image: image.tagged, podSpec };
    const { stderr } = await kubectl.apply(workload('Deployment', options));

    const stored = podTemplateOf(await kubectl.get<StoredObject>('deployment', 'web'));
    expect(pinsOf(stored)).toEqual(untouched(image));
    expect(stderr).toContain('missing_secret');
  });

  it('is not shared with a namespace that has no credential for it', async () => {
    const image = await TestImage.ofOnePlatform(privateRegistry);
    const first = await namespaceWithSecrets();
    const podSpec = pullSecrets('right');
    await first.apply(workload('Deployment', { image: image.tagged, podSpec }));

    const second = await createNamespace(kubeconfig, { mode: 'pin' });
    await second.apply(workload('Deployment', { image: image.tagged }));

    const stored = podTemplateOf(await second.get<StoredObject>('deployment', 'web'));
    expect(pinsOf(stored)).toEqual(untouched(image));
  });
});
