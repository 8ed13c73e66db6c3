import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';

import { readEnvironment } from './support/environment.ts';
import { findingsOfPromtool } from './support/promtool.ts';
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

  const requests = 'tagpin_admission_requests_total';
  const images = 'tagpin_images_total';
  const registries = 'tagpin_registry_requests_total';
  const pinned = { outcome: 'pinned', registry: registry.host };

  it.each([
    { question: 'was it called', name: requests, labels: CREATED, value: 4 },
    {
      question: 'was it pinned',
      name: requests,
      labels: { ...CREATED, outcome: 'pinned' },
      value: 3,
    },
    { question: 'was the image pinned', name: images, labels: pinned, value: 3 },
    { question: 'if not, why', name: images, labels: { reason: 'not_found' }, value: 1 },
    { question: 'did a registry answer', name: registries, labels: { code: '200' }, value: 1 },
    { question: 'what else did it answer', name: registries, labels: { code: '404' }, value: 1 },
    {
      question: 'did the cache help',
      name: 'tagpin_cache_requests_total',
      labels: { result: 'hit' },
      value: 2,
    },
    { question: 'does anybody wait', name: 'tagpin_admission_in_flight', labels: {}, value: 0 },
  ])('answer "$question"', async ({ name, labels, value }) => {
    expect(await webhook.metric(name, labels)).toBe(value);
  });

  it('keep to the rules of Prometheus for names, by promtool', async () => {
    const findings = await findingsOfPromtool(await webhook.metricsText());
    // prom-client's own, which dashboards for Node know by these names.
    const known = ['handles', 'requests', 'resources'].map(
      (what) => `nodejs_active_${what}_total non-counter metrics should not have "_total" suffix`,
    );
    expect(findings).toEqual(known);
  });

  it('tell no name of an image, a Pod or a namespace', async () => {
    expect(await webhook.metricsText()).not.toMatch(/e2e/u);
  });
});
