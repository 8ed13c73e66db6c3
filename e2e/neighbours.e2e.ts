import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';

import { readEnvironment } from './support/environment.ts';
import { Chart } from './support/helm.ts';
import { Injector } from './support/injector.ts';
import { LiveDeployment } from './support/live-deployment.ts';
import { pinsOf, pinsTo, untouched } from './support/pins.ts';
import { TestImage } from './support/test-image.ts';
import { createNamespace } from './support/test-namespace.ts';
import { Webhook } from './support/webhook.ts';
import { podTemplateOf, type StoredObject, workload } from './support/workload.ts';

const environment = readEnvironment();
const { kubeconfig, registry } = environment;

/** Whatever is not asked anew comes from the stored object then, and not from the cache. */
const webhook = new Webhook(environment, ['--cache-ttl=1ms']);

beforeAll(() => webhook.start());
afterAll(() => webhook.stop());

describe('a webhook that injects a sidecar', () => {
  it.each(['a-sidecar', 'z-sidecar'])(
    'has it pinned, called in the order of its name: %s',
    async (name) => {
      const image = await TestImage.ofOnePlatform(registry);
      const sidecar = await TestImage.ofOnePlatform(registry);
      const kubectl = await createNamespace(kubeconfig, { mode: 'enforce' });
      const injector = await Injector.register(kubectl, environment.webhook, {
        name: `${name}-${kubectl.namespace}`,
        image: sidecar.tagged,
      });

      try {
        await kubectl.apply(workload('Pod', { image: image.tagged }));
      } finally {
        await injector.remove();
      }

      const pod = await kubectl.get<StoredObject>('pod', 'web');
      expect(pinsOf(podTemplateOf(pod))).toEqual(await pinsTo({ web: image, sidecar }));
    },
  );
});

describe('a second manager of server-side apply', () => {
  const AS_SECOND = ['--server-side', '--field-manager=second'];

  it('gets a conflict with the same tag, and keeps the pin where it forces its way', async () => {
    const web = await LiveDeployment.apply(environment, { mode: 'pin' }, ['--server-side']);
    const pins = await web.pins();
    await web.image.move();
    const input = web.manifest();
    const args = ['apply', '--filename=-', ...AS_SECOND];

    const { exitCode, stderr } = await web.kubectl.run(args, { input, mayFail: true });
    expect({ exitCode, stderr }).toEqual({
      exitCode: 1,
      stderr: expect.stringContaining('.image'),
    });

    await web.kubectl.run([...args, '--force-conflicts'], { input });
    expect(await web.pins()).toEqual(pins);
    expect(await web.revisions()).toBe(1);
  });

  it('gets none at the level pods', async () => {
    const labels = { mode: 'pin', level: 'pods' } as const;
    const web = await LiveDeployment.apply(environment, labels, ['--server-side']);

    await web.kubectl.apply(web.manifest(), ...AS_SECOND);

    expect(await web.pins()).toEqual(untouched(web.image));
  });
});

describe('Helm', () => {
  const TEMPLATE = workload('Deployment', { image: '{{ .Values.image }}' });

  it('upgrades with the same tag without a rollout, though it has moved', async () => {
    const web = await LiveDeployment.apply(environment);
    const kubectl = await createNamespace(kubeconfig, { mode: 'pin' });
    await using chart = await Chart.of(kubectl, TEMPLATE);
    await chart.upgrade(web.image.tagged);
    const before = await kubectl.get<StoredObject>('deployment', 'web');
    expect(pinsOf(podTemplateOf(before))).toEqual(await pinsTo({ web: web.image }));
    await web.image.move();

    await chart.upgrade(web.image.tagged);

    const after = await kubectl.get<StoredObject>('deployment', 'web');
    expect(after.metadata.generation).toBe(before.metadata.generation);
    expect(pinsOf(podTemplateOf(after))).toEqual(pinsOf(podTemplateOf(before)));
  });

  it('looks the tag up anew that a rollback brings back', async () => {
    const [one, two] = await Promise.all([
      TestImage.ofOnePlatform(registry),
      TestImage.ofOnePlatform(registry),
    ]);
    const kubectl = await createNamespace(kubeconfig, { mode: 'pin' });
    await using chart = await Chart.of(kubectl, TEMPLATE);
    await chart.upgrade(one.tagged);
    await chart.upgrade(two.tagged);
    await one.move();

    await chart.rollback(1);

    const after = await kubectl.get<StoredObject>('deployment', 'web');
    expect(pinsOf(podTemplateOf(after))).toEqual(await pinsTo({ web: one }));
  });
});
