import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';

import { readEnvironment } from './support/environment.ts';
import { replaceBy, templateOf, useKeepPins } from './support/keep-pins.ts';
import type { Kubectl } from './support/kubectl.ts';
import { settledReplicaSets, waitForReplicaSet } from './support/ownership.ts';
import { pinsOf, pinsTo, untouched } from './support/pins.ts';
import { TestImage } from './support/test-image.ts';
import { createNamespace, labelNamespace } from './support/test-namespace.ts';
import { Webhook } from './support/webhook.ts';
import { type PodTemplate, type StoredObject, workload } from './support/workload.ts';

const environment = readEnvironment();
const { kubeconfig, registry } = environment;

useKeepPins(kubeconfig);

/** Whatever is not asked anew comes from the stored object then, and not from the cache. */
const webhook = new Webhook(environment, ['--cache-ttl=1ms']);

beforeAll(() => webhook.start());
afterAll(() => webhook.stop());

interface Pinned {
  readonly kubectl: Kubectl;
  readonly image: TestImage;
  readonly before: PodTemplate;
}

/** A Deployment whose tag has moved since it was pinned. */
async function pinned(): Promise<Pinned> {
  const image = await TestImage.ofOnePlatform(registry);
  const kubectl = await createNamespace(kubeconfig, { mode: 'pin' });
  await kubectl.apply(workload('Deployment', { image: image.tagged }));
  await waitForReplicaSet(kubectl, await kubectl.get<StoredObject>('deployment', 'web'));
  const before = await templateOf(kubectl, 'Deployment');
  await image.move();
  return { kubectl, image, before };
}

const REFRESH = { 'tagpin.dev/refresh': '2' };

describe('with the webhook up, and pins that are put back before it is called', () => {
  it('a restart takes the new digest, an undo the old one', async () => {
    const { kubectl, image, before } = await pinned();

    await kubectl.run(['rollout', 'restart', 'deployment', 'web']);

    const { images } = await pinsTo({ web: image });
    expect(pinsOf(await templateOf(kubectl, 'Deployment')).images).toEqual(images);
    const deployment = await kubectl.get<StoredObject>('deployment', 'web');
    expect(await settledReplicaSets(kubectl, deployment)).toHaveLength(2);

    await kubectl.run(['rollout', 'undo', 'deployment', 'web']);

    expect(await templateOf(kubectl, 'Deployment')).toEqual(before);
    expect(await settledReplicaSets(kubectl, deployment)).toHaveLength(2);
  });

  it.each(['apply', 'replace'])(
    'a file with a new tagpin.dev/refresh takes the new digest by %s',
    async (verb) => {
      const { kubectl, image } = await pinned();

      const input = workload('Deployment', { image: image.tagged, annotations: REFRESH });
      await kubectl.run([verb, '--filename=-'], { input });

      const { images, originals } = await pinsTo({ web: image });
      const expected = { images, originals: { ...originals, '@refresh': '2' } };
      expect(pinsOf(await templateOf(kubectl, 'Deployment'))).toEqual(expected);
    },
  );

  it('any other change takes the new digest where the refresh policy is "rollout"', async () => {
    const { kubectl, image, before } = await pinned();
    const annotations = { 'tagpin.dev/refresh-policy': 'rollout' };
    const options = { image: image.tagged, annotations };

    await kubectl.apply(workload('Deployment', options));
    const { images } = await pinsTo({ web: image });
    expect(pinsOf(before).images).not.toEqual(images);
    expect(pinsOf(await templateOf(kubectl, 'Deployment')).images).toEqual(images);

    await image.move();
    await kubectl.apply(workload('Deployment', options));
    expect(pinsOf(await templateOf(kubectl, 'Deployment')).images).toEqual(images);
  });

  it('so it does over a pin of another tool', async () => {
    const image = await TestImage.ofOnePlatform(registry);
    const kubectl = await createNamespace(kubeconfig, { mode: 'pin' });
    const other = `${image.tagged}@${await image.digest()}`;
    await kubectl.apply(workload('Deployment', { image: other }));
    await image.move();

    await kubectl.apply(workload('Deployment', { image: image.tagged, annotations: REFRESH }));

    const { images } = pinsOf(await templateOf(kubectl, 'Deployment'));
    expect(images).toEqual({ web: await image.pinned() });
  });

  it('a container that is added with the same tag gets the digest of its sibling', async () => {
    const { kubectl, image, before } = await pinned();

    const containers = ['web', 'log'].map((name) => ({ name, image: image.tagged }));
    await kubectl.apply(workload('Deployment', { image: image.tagged, podSpec: { containers } }));

    const { images, originals } = pinsOf(before);
    expect(pinsOf(await templateOf(kubectl, 'Deployment'))).toEqual({
      images: { ...images, log: images['web'] },
      originals: { ...originals, log: originals?.['web'] },
    });
  });

  it('the same file changes nothing, and costs no call', async () => {
    const { kubectl, image, before } = await pinned();
    const lookUps = await image.lookUps();
    const updates = { kind: 'Deployment', operation: 'UPDATE' };
    const calls = await webhook.metric('tagpin_admission_requests_total', updates);

    await kubectl.apply(workload('Deployment', { image: image.tagged }));

    expect(await templateOf(kubectl, 'Deployment')).toEqual(before);
    expect(await image.lookUps()).toBe(lookUps);
    expect(await webhook.metric('tagpin_admission_requests_total', updates)).toBe(calls);
  });

  it('at the level pods a refresh lets the tag through, and nothing else does', async () => {
    const { kubectl, image, before } = await pinned();
    await labelNamespace(kubectl, { mode: 'pin', level: 'pods' });
    const options = { image: image.tagged };

    expect(await replaceBy(kubectl, 'Deployment', options)).toEqual(before);
    const refreshed = await replaceBy(kubectl, 'Deployment', { ...options, annotations: REFRESH });

    expect(pinsOf(refreshed)).toEqual(untouched(image));
  });
});
