import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';

import { readEnvironment } from './support/environment.ts';
import { TestImage } from './support/test-image.ts';
import { createNamespace } from './support/test-namespace.ts';
import { Webhook } from './support/webhook.ts';
import { workload } from './support/workload.ts';

const environment = readEnvironment();
const { kubeconfig, registry } = environment;

describe('the metrics, after three Pods of one image and one of a missing tag', () => {
  // A process that has answered nothing else.
  const webhook = new Webhook(environment);

  beforeAll(async () => {
    await webhook.start();
    const image = await TestImage.ofOnePlatform(registry);
    const kubectl = await createNamespace(kubeconfig, { mode: 'pin' });
    for (const name of ['one', 'two', 'three']) {
      await kubectl.apply(workload('Pod', { name, image: image.tagged }));
    }
    await kubectl.apply(workload('Pod', { name: 'four', image: `${image.name}:missing` }));
  });

  afterAll(() => webhook.stop());

  const CREATED = { mode: 'pin', kind: 'Pod', operation: 'CREATE' };

  it.each([
    ['was it called', 4, 'tagpin_admission_requests_total', CREATED],
    ['was it pinned', 3, 'tagpin_admission_requests_total', { ...CREATED, outcome: 'pinned' }],
    ['which image was', 3, 'tagpin_images_total', { outcome: 'pinned', registry: registry.host }],
    ['if not, why', 1, 'tagpin_images_total', { outcome: 'failed', reason: 'not_found' }],
    ['was a registry asked', 1, 'tagpin_registry_requests_total', { code: '200' }],
    ['what else did it answer', 1, 'tagpin_registry_requests_total', { code: '404' }],
    ['did the cache help', 2, 'tagpin_cache_requests_total', { result: 'hit' }],
    ['does anybody wait', 0, 'tagpin_admission_in_flight', {}],
  ] as const)('answer "%s": %i', async (_, value, ...[name, labels]) => {
    expect(await webhook.metric(name, labels)).toBe(value);
  });

  it('tell no name of an image, a Pod or a namespace', async () => {
    expect(await webhook.metricsText()).not.toMatch(/e2e/u);
  });
});
