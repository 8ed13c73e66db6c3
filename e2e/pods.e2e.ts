import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';

import { readEnvironment } from './support/environment.ts';
import type { Kubectl } from './support/kubectl.ts';
import { hasImageVolumes } from './support/kubernetes-version.ts';
import { type Pins, pinsOf, pinsTo, untouched } from './support/pins.ts';
import { TestImage } from './support/test-image.ts';
import { createNamespace, labelNamespace } from './support/test-namespace.ts';
import { Webhook } from './support/webhook.ts';
import { podTemplateOf, type StoredObject, workload } from './support/workload.ts';

const environment = readEnvironment();
const { kubeconfig, registry } = environment;
const webhook = new Webhook(environment);

beforeAll(() => webhook.start());
afterAll(() => webhook.stop());

async function storedPins(kubectl: Kubectl): Promise<Pins> {
  return pinsOf(podTemplateOf(await kubectl.get<StoredObject>('pod', 'web')));
}

describe('a Pod in a namespace of mode "pin"', () => {
  it('is stored with the digest that its tag points at', async () => {
    const image = await TestImage.ofOnePlatform(registry);
    const kubectl = await createNamespace(kubeconfig, { mode: 'pin' });

    await kubectl.apply(workload('Pod', { image: image.tagged }));

    expect(await storedPins(kubectl)).toEqual(await pinsTo({ web: image }));
  });

  it.each(['oci', 'docker'] as const)(
    'gets the digest of the index, of which each node picks its platform (%s)',
    async (format) => {
      const image = await TestImage.ofTwoPlatforms(registry, format);
      const kubectl = await createNamespace(kubeconfig, { mode: 'pin' });

      await kubectl.apply(workload('Pod', { image: image.tagged }));

      expect(await storedPins(kubectl)).toEqual(await pinsTo({ web: image }));
    },
  );

  it('without a tag gets the digest of latest, and is recorded as it was written', async () => {
    const image = await TestImage.ofOnePlatform(registry, 'latest');
    const kubectl = await createNamespace(kubeconfig, { mode: 'pin' });

    await kubectl.apply(workload('Pod', { image: image.name }));

    const digest = await image.digest();
    expect(await storedPins(kubectl)).toEqual({
      images: { web: `${image.name}@${digest}` },
      originals: { web: `${image.name} ${digest}` },
    });
  });

  it('gets a digest for each init container and image volume as well', async () => {
    const web = await TestImage.ofOnePlatform(registry);
    const init = await TestImage.ofOnePlatform(registry);
    const data = await TestImage.ofTwoPlatforms(registry);
    const kubectl = await createNamespace(kubeconfig, { mode: 'pin' });

    const hasVolumes = hasImageVolumes();
    const podSpec = {
      initContainers: [{ name: 'init', image: init.tagged }],
      volumes: hasVolumes ? [{ name: 'data', image: { reference: data.tagged } }] : [],
    };
    await kubectl.apply(workload('Pod', { image: web.tagged, podSpec }));

    const expected = await pinsTo({ web, init, ...(hasVolumes ? { 'volume/data': data } : {}) });
    expect(await storedPins(kubectl)).toEqual(expected);
  });

  it('gets a digest for an ephemeral container that kubectl debug adds', async () => {
    const web = await TestImage.ofOnePlatform(registry);
    const debug = await TestImage.ofOnePlatform(registry);
    const kubectl = await createNamespace(kubeconfig, { mode: 'pin' });
    await kubectl.apply(workload('Pod', { image: web.tagged }));

    const add = ['debug', 'web', '--container=debugger', '--profile=general', '--quiet'];
    await kubectl.run([...add, `--image=${debug.tagged}`]);

    // The API server drops an annotation that is set in this subresource: there is no record of it.
    const { images } = await pinsTo({ web, debugger: debug });
    const { originals } = await pinsTo({ web });
    expect(await storedPins(kubectl)).toEqual({ images, originals });
  });

  it('keeps its tag when only a label of it changes', async () => {
    const image = await TestImage.ofOnePlatform(registry);
    const kubectl = await createNamespace(kubeconfig);
    await kubectl.apply(workload('Pod', { image: image.tagged }));
    await labelNamespace(kubectl, { mode: 'pin' });

    await kubectl.run(['label', 'pod', 'web', 'team=a']);

    expect(await storedPins(kubectl)).toEqual(untouched(image));
    expect(await image.lookUps()).toBe(0);
  });

  it('gets the same answer from a server-side dry run, which stores nothing', async () => {
    const image = await TestImage.ofOnePlatform(registry);
    const kubectl = await createNamespace(kubeconfig, { mode: 'pin' });
    const pod = workload('Pod', { image: image.tagged });

    const { stdout } = await kubectl.apply(pod, '--dry-run=server', '--output=json');

    const answer = podTemplateOf(JSON.parse(stdout) as object);
    expect(pinsOf(answer)).toEqual(await pinsTo({ web: image }));
    const { items } = await kubectl.get<{ items: unknown[] }>('pods');
    expect(items).toEqual([]);
  });
});

describe('a Pod in a namespace without the label', () => {
  it('is stored as it was written, and no registry is asked', async () => {
    const image = await TestImage.ofOnePlatform(registry);
    const kubectl = await createNamespace(kubeconfig);

    await kubectl.apply(workload('Pod', { image: image.tagged }));

    expect(await storedPins(kubectl)).toEqual(untouched(image));
    expect(await image.lookUps()).toBe(0);
  });
});
