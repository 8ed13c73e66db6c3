import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';

import { type CustomKind, defineKind, ROLLOUT, removeKind } from './support/custom-resource.ts';
import { readEnvironment } from './support/environment.ts';
import { eventually } from './support/eventually.ts';
import { Kubectl } from './support/kubectl.ts';
import { type KubernetesObject, renderWithComponent } from './support/manifests.ts';
import { pinsOf, pinsTo } from './support/pins.ts';
import { TestImage } from './support/test-image.ts';
import { createNamespace } from './support/test-namespace.ts';
import { Webhook } from './support/webhook.ts';
import { podTemplateOf, type StoredObject } from './support/workload.ts';

const environment = readEnvironment();
const { kubeconfig, registry } = environment;
const admin = new Kubectl(kubeconfig);

const SERVICE: CustomKind = {
  group: 'serving.knative.dev',
  version: 'v1',
  kind: 'Service',
  plural: 'services',
};
const KINDS = [ROLLOUT, SERVICE];

interface Configuration extends KubernetesObject {
  readonly webhooks: readonly { readonly rules: readonly object[] }[];
}

interface Deployment extends KubernetesObject {
  readonly spec: {
    readonly template: { readonly spec: { readonly containers: readonly { args: string[] }[] } };
  };
}

function find(objects: readonly KubernetesObject[], kind: string): KubernetesObject {
  const found = objects.find((object) => object.kind === kind);
  if (found === undefined) throw new Error(`The component renders no ${kind}`);
  return found;
}

/** Gives the webhook configuration of the cluster these rules, entry by entry. */
async function setRules(configuration: Configuration): Promise<void> {
  const patch = configuration.webhooks.map(({ rules }, index) => ({
    op: 'replace',
    path: `/webhooks/${index}/rules`,
    value: rules,
  }));
  const what = ['mutatingwebhookconfiguration', 'tagpin', '--type=json'];
  await admin.run(['patch', ...what, `--patch=${JSON.stringify(patch)}`]);
}

const cleanUp = new AsyncDisposableStack();

beforeAll(async () => {
  for (const kind of KINDS) {
    cleanUp.defer(() => removeKind(admin, kind));
    await defineKind(admin, kind);
  }
  const before = await admin.get<Configuration>('mutatingwebhookconfiguration', 'tagpin');
  cleanUp.defer(() => setRules(before));
  const component = await renderWithComponent(admin, 'extra-kinds');
  await setRules(find(component, 'MutatingWebhookConfiguration') as Configuration);
  const deployment = find(component, 'Deployment') as Deployment;
  const [container] = deployment.spec.template.spec.containers;
  const setting = container?.args.find((arg) => arg.startsWith('--extra-kind=')) ?? '';
  const webhook = new Webhook(environment, [setting, '--cache-ttl=1ms']);
  cleanUp.defer(() => webhook.stop());
  await webhook.start();
  await eventually(isInForce);
});

afterAll(() => cleanUp.disposeAsync());

/** The API server takes a moment to go by other rules. */
async function isInForce(): Promise<void> {
  const image = await TestImage.ofOnePlatform(registry);
  const kubectl = await createNamespace(kubeconfig, { mode: 'pin' });
  for (const kind of KINDS) {
    const options = ['create', '--filename=-', '--dry-run=server', '--output=json'];
    const { stdout } = await kubectl.run(options, { input: resource(kind, image) });
    expect(stdout).toContain(await image.digest());
  }
}

interface ResourceParts {
  readonly name?: string;
  readonly annotations?: object;
  readonly metadata?: object;
}

/** A resource with one container, which Knative's users give no name. */
function resource(
  { group, version, kind }: CustomKind,
  image: TestImage,
  { annotations, metadata }: ResourceParts = {},
): object {
  const name = kind === 'Rollout' ? { name: 'web' } : {};
  return {
    apiVersion: `${group}/${version}`,
    kind,
    metadata: { name: 'web', ...metadata },
    spec: {
      template: {
        metadata: { labels: { app: 'web' }, ...(annotations !== undefined && { annotations }) },
        spec: { containers: [{ ...name, image: image.tagged }] },
      },
    },
  };
}

/** The one image of a stored resource, and its generation, which a controller of it would go by. */
async function storedIn(
  kubectl: Kubectl,
  { plural, group }: CustomKind,
): Promise<{ readonly image: unknown; readonly generation: number; readonly record: unknown }> {
  const object = await kubectl.get<StoredObject>(`${plural}.${group}`, 'web');
  const { images, originals } = pinsOf(podTemplateOf(object));
  const [image] = Object.values(images);
  return { image, generation: object.metadata.generation, record: originals };
}

describe.each(KINDS)('a $kind of $group', (kind) => {
  it('is stored with its digest and record', async () => {
    const image = await TestImage.ofOnePlatform(registry);
    const kubectl = await createNamespace(kubeconfig, { mode: 'pin' });

    await kubectl.apply(resource(kind, image));

    const key = kind === ROLLOUT ? 'web' : '';
    const { originals } = await pinsTo({ [key]: image });
    expect(await storedIn(kubectl, kind)).toEqual({
      image: await image.pinned(),
      generation: 1,
      record: originals,
    });
  });

  it.each([
    ['client-side', []],
    ['server-side', ['--server-side']],
  ])(
    'keeps pin and generation when it is applied again, %s, after the tag has moved',
    async (_, flags) => {
      const image = await TestImage.ofOnePlatform(registry);
      const kubectl = await createNamespace(kubeconfig, { mode: 'pin' });
      await kubectl.apply(resource(kind, image), ...flags);
      const first = await storedIn(kubectl, kind);
      const lookUps = await image.lookUps();

      await image.move();
      await kubectl.apply(resource(kind, image), ...flags);

      expect(await storedIn(kubectl, kind)).toEqual(first);
      expect(await image.lookUps()).toBe(lookUps);
    },
  );

  it('takes the new digest with a new value of the annotation in its template', async () => {
    const image = await TestImage.ofOnePlatform(registry);
    const kubectl = await createNamespace(kubeconfig, { mode: 'pin' });
    await kubectl.apply(resource(kind, image));

    await image.move();
    const misplaced = { metadata: { annotations: { 'tagpin.dev/refresh': '2' } } };
    const { stderr } = await kubectl.apply(resource(kind, image, misplaced));
    // What it prints is what works.
    const [, words = '', patch = ''] = /^Warning: kubectl (.*) -p '(.*)'$/mu.exec(stderr) ?? [];
    await kubectl.run([...words.split(' '), '--patch', patch]);

    expect((await storedIn(kubectl, kind)).image).toBe(await image.pinned());
  });

  it('is left alone where a controller owns it', async () => {
    const image = await TestImage.ofOnePlatform(registry);
    const kubectl = await createNamespace(kubeconfig, { mode: 'pin' });
    const owner = { apiVersion: 'a.b/v1', kind: 'App', name: 'app', uid: 'u', controller: true };
    const input = resource(kind, image, { metadata: { ownerReferences: [owner] } });
    const create = ['create', '--filename=-', '--dry-run=server', '--output=json'];
    const { stdout } = await kubectl.run(create, { input });
    expect(stdout).toContain(image.tagged);
    expect(await image.lookUps()).toBe(0);
  });

  it('is left alone at level pods', async () => {
    const image = await TestImage.ofOnePlatform(registry);
    const kubectl = await createNamespace(kubeconfig, { mode: 'pin', level: 'pods' });
    await kubectl.apply(resource(kind, image));
    expect((await storedIn(kubectl, kind)).image).toBe(image.tagged);
  });
});
