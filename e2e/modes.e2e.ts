import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';

import { readEnvironment } from './support/environment.ts';
import { pinsOf, pinsTo, untouched } from './support/pins.ts';
import { TestImage } from './support/test-image.ts';
import { createNamespace } from './support/test-namespace.ts';
import { Webhook } from './support/webhook.ts';
import { podTemplateOf, type StoredObject, workload } from './support/workload.ts';

const environment = readEnvironment();
const { kubeconfig, registry } = environment;
const webhook = new Webhook(environment);

beforeAll(() => webhook.start());
afterAll(() => webhook.stop());

describe('the mode "pin"', () => {
  it('admits a Pod whose tag is missing, with a warning and a mark on the Pod', async () => {
    const image = await TestImage.ofOnePlatform(registry);
    const missing = `${image.name}:missing`;
    const kubectl = await createNamespace(kubeconfig, { mode: 'pin' });

    const { stderr } = await kubectl.apply(workload('Pod', { image: missing }));

    expect(stderr).toMatch(/^Warning: .*:missing" for container "web"/mu);
    const pod = await kubectl.get<StoredObject>('pod', 'web');
    expect(pinsOf(podTemplateOf(pod))).toEqual({ images: { web: missing } });
    expect(pod.metadata.annotations).toMatchObject({
      'tagpin.dev/unpinned': '{"web":"not_found"}',
    });
  });

  it('pins the images that it can, and names the one that it cannot', async () => {
    const image = await TestImage.ofOnePlatform(registry);
    const missing = `${image.name}:missing`;
    const kubectl = await createNamespace(kubeconfig, { mode: 'pin' });

    const podSpec = { initContainers: [{ name: 'init', image: missing }] };
    const options = { image: image.tagged, podSpec };
    const { stderr } = await kubectl.apply(workload('Deployment', options));

    expect(stderr).toMatch(/^Warning: .*:missing" for init container "init"/mu);
    const stored = podTemplateOf(await kubectl.get<StoredObject>('deployment', 'web'));
    const { images, originals } = await pinsTo({ web: image });
    expect(pinsOf(stored)).toEqual({ images: { ...images, init: missing }, originals });
  });
});

describe('the mode "enforce"', () => {
  it('stores a Pod with the digest of its tag', async () => {
    const image = await TestImage.ofOnePlatform(registry);
    const kubectl = await createNamespace(kubeconfig, { mode: 'enforce' });

    await kubectl.apply(workload('Pod', { image: image.tagged }));

    const stored = podTemplateOf(await kubectl.get<StoredObject>('pod', 'web'));
    expect(pinsOf(stored)).toEqual(await pinsTo({ web: image }));
  });

  it.each(['Pod', 'Deployment'] as const)(
    'denies a %s whose tag is missing, and names the image and the container',
    async (kind) => {
      const image = await TestImage.ofOnePlatform(registry);
      const missing = `${image.name}:missing`;
      const kubectl = await createNamespace(kubeconfig, { mode: 'enforce' });

      const create = ['create', '--filename=-'];
      const options = { input: workload(kind, { image: missing }), mayFail: true };
      const { exitCode, stderr } = await kubectl.run(create, options);

      expect(exitCode).not.toBe(0);
      expect(stderr).toContain('enforce.tagpin.dev" denied the request');
      expect(stderr).toContain(missing);
      expect(stderr).toContain('container "web"');
      expect(stderr).toContain('[not_found]');
      expect((await kubectl.get<{ items: unknown[] }>(kind)).items).toEqual([]);
    },
  );
});

describe('the mode "warn"', () => {
  it('stores a Deployment as it was written, and warns what would be pinned', async () => {
    const image = await TestImage.ofOnePlatform(registry);
    const kubectl = await createNamespace(kubeconfig, { mode: 'warn' });

    const { stderr } = await kubectl.apply(workload('Deployment', { image: image.tagged }));

    expect(stderr).toContain(await image.digest());
    const stored = podTemplateOf(await kubectl.get<StoredObject>('deployment', 'web'));
    expect(pinsOf(stored)).toEqual(untouched(image));
  });

  it('warns that a tag is missing', async () => {
    const image = await TestImage.ofOnePlatform(registry);
    const missing = `${image.name}:missing`;
    const kubectl = await createNamespace(kubeconfig, { mode: 'warn' });

    const { stderr } = await kubectl.apply(workload('Deployment', { image: missing }));

    expect(stderr).toMatch(/^Warning: .*:missing" for container "web"/mu);
  });
});
