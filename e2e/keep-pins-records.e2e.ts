import { describe, expect, it } from '@jest/globals';

import { readEnvironment } from './support/environment.ts';
import { eventually } from './support/eventually.ts';
import { replaceBy, templateOf, useKeepPins } from './support/keep-pins.ts';
import type { Kubectl } from './support/kubectl.ts';
import { pinsOf } from './support/pins.ts';
import { createNamespace, labelNamespace } from './support/test-namespace.ts';
import {
  type StoredObject,
  TEMPLATE_KINDS,
  type WorkloadKind,
  workload,
} from './support/workload.ts';

const { kubeconfig } = readEnvironment();

useKeepPins(kubeconfig);

const DIGEST = `sha256:${'1f'.repeat(32)}`;
const OTHER = `sha256:${'2e'.repeat(32)}`;
const NAME = 'registry.example.com/app';
const TAGGED = `${NAME}:1`;
const PINNED = `${NAME}@${DIGEST}`;

/** A namespace with an object that has any text for its record. */
async function stored(
  kind: WorkloadKind,
  record: string,
  options: Parameters<typeof workload>[1] = { image: PINNED },
): Promise<Kubectl> {
  const kubectl = await createNamespace(kubeconfig);
  const annotations = { 'tagpin.dev/originals': record };
  const input = workload(kind, { ...options, annotations });
  // By `apply` it would be copied, and 200 KB twice are too much for one object.
  await kubectl.run(['create', '--filename=-'], { input });
  await labelNamespace(kubectl, { mode: 'pin' });
  return kubectl;
}

describe('with the webhook down, an object that comes back by tag', () => {
  it.each([
    ['that counts', { web: `${TAGGED} ${DIGEST}` }],
    ['that is not sorted', { web: `${TAGGED} ${DIGEST}`, '@refresh': '1' }],
    ['with entries of others', { gone: `a:1 ${OTHER}`, web: `${TAGGED} ${DIGEST}` }],
  ])('keeps its pin and its record by a record %s', async (_, record) => {
    const kubectl = await stored('PodTemplate', JSON.stringify(record));
    const pins = pinsOf(await replaceBy(kubectl, 'PodTemplate', { image: TAGGED }));
    expect(pins).toEqual({ images: { web: PINNED }, originals: record });
  });

  it.each([
    ['of another digest', `{"web":"${TAGGED} ${OTHER}"}`],
    ['of another container', `{"log":"${TAGGED} ${DIGEST}"}`],
    ['of another tag', `{"web":"${NAME}:2 ${DIGEST}"}`],
    ['of another name', `{"web":"registry.example.com/other:1 ${DIGEST}"}`],
    ['that is no JSON', `{"web":"${TAGGED} ${DIGEST}"`],
    ['that is empty', ''],
    ['of 200 KB', `{"a":"${'x'.repeat(200_000)}","web":"${TAGGED} ${DIGEST}"}`],
  ])('takes its tag by a record %s', async (_, record) => {
    const kubectl = await stored('PodTemplate', record);
    const pins = pinsOf(await replaceBy(kubectl, 'PodTemplate', { image: TAGGED }));
    expect(pins).toEqual({ images: { web: TAGGED } });
  });

  it('takes a name without a tag as it is written, where the record has a tag', async () => {
    const port = 'localhost:5000/app';
    const podSpec = { initContainers: [{ name: 'setup', image: `${port}@${DIGEST}` }] };
    const record = { setup: `${port} ${DIGEST}`, web: `${TAGGED} ${DIGEST}` };
    const kubectl = await stored('PodTemplate', JSON.stringify(record), { image: PINNED, podSpec });
    const sent = { image: NAME, podSpec: { initContainers: [{ name: 'setup', image: port }] } };
    const pins = pinsOf(await replaceBy(kubectl, 'PodTemplate', sent));
    expect(pins.images).toEqual({ web: NAME, setup: `${port}@${DIGEST}` });
  });

  it('takes its tag where the digest was copied to another name, record and all', async () => {
    const image = `registry.example.com/other@${DIGEST}`;
    const kubectl = await stored('PodTemplate', `{"web":"${TAGGED} ${DIGEST}"}`, { image });
    const pins = pinsOf(await replaceBy(kubectl, 'PodTemplate', { image: TAGGED }));
    expect(pins).toEqual({ images: { web: TAGGED } });
  });

  it('keeps the pins of 300 containers with long names', async () => {
    const name = `registry.example.com/team/${'long-name/'.repeat(6)}app`;
    const keys = Array.from({ length: 300 }, (_, index) => `c${index}`).toSorted();
    const all = (image: string): { image: string; podSpec: object } => ({
      image,
      podSpec: { containers: keys.map((key) => ({ name: key, image })) },
    });
    const record = Object.fromEntries(keys.map((key) => [key, `${name}:1 ${DIGEST}`]));
    const kubectl = await stored('PodTemplate', JSON.stringify(record), all(`${name}@${DIGEST}`));
    const before = await templateOf(kubectl, 'PodTemplate');

    expect(await replaceBy(kubectl, 'PodTemplate', all(`${name}:1`))).toEqual(before);
  });

  it.each(['Pod', 'ReplicaSet'] as const)(
    'takes its tag where a controller owns it: %s',
    async (kind) => {
      const kubectl = await createNamespace(kubeconfig, { mode: 'pin' });
      const name = 'kube-root-ca.crt';
      const { metadata } = await eventually(() => kubectl.get<StoredObject>('configmap', name));
      const owner = {
        apiVersion: 'v1',
        kind: 'ConfigMap',
        name,
        uid: metadata.uid,
        controller: true,
      };
      const annotations = { 'tagpin.dev/originals': `{"web":"${TAGGED} ${DIGEST}"}` };
      const owned = (image: string): object => {
        const object = workload(kind, { image, annotations, replicas: 0 }) as { metadata: object };
        return { ...object, metadata: { ...object.metadata, ownerReferences: [owner] } };
      };
      await kubectl.apply(owned(PINNED));

      await kubectl.apply(owned(TAGGED));

      expect(pinsOf(await templateOf(kubectl, kind)).images).toEqual({ web: TAGGED });
    },
  );

  it.each(TEMPLATE_KINDS)('%s is left alone by a label edit, whatever its record', async (kind) => {
    const kubectl = await createNamespace(kubeconfig, { mode: 'pin' });
    for (const [name, record] of [
      ['stale', `{"web":"${TAGGED} ${OTHER}"}`],
      ['broken', '{"web":'],
      ['spaced', '{ "web" : "x" }'],
    ] as const) {
      const annotations = { 'tagpin.dev/originals': record };
      await kubectl.apply(workload(kind, { name, image: PINNED, annotations, replicas: 0 }));
      const before = await templateOf(kubectl, kind, name);
      await kubectl.run(['label', kind, name, 'a=b']);
      expect(await templateOf(kubectl, kind, name)).toEqual(before);
    }
  });
});

describe('with the webhook down, a pin of another tool that nothing is recorded of', () => {
  it.each([
    [TAGGED, TAGGED, 'stays'],
    [NAME, NAME, 'stays'],
    [`${NAME}:latest`, NAME, 'stays'],
    ['index.docker.io/library/nginx:1', 'nginx:1', 'stays'],
    [TAGGED, `${NAME}:2`, 'goes'],
    [NAME, TAGGED, 'goes'],
    [TAGGED, 'registry.example.com/other:1', 'goes'],
  ])('%s@…, when %s comes: %s', async (name, tagged, what) => {
    const kubectl = await createNamespace(kubeconfig, { mode: 'pin' });
    const image = `${name}@${DIGEST}`;
    await kubectl.apply(workload('PodTemplate', { image }));

    await kubectl.apply(workload('PodTemplate', { image: tagged }));

    const { images } = pinsOf(await templateOf(kubectl, 'PodTemplate'));
    expect(images).toEqual({ web: what === 'stays' ? image : tagged });
  });

  it('goes where anything else changes, for tagpin to decide', async () => {
    const kubectl = await createNamespace(kubeconfig, { mode: 'pin' });
    await kubectl.apply(workload('Deployment', { image: `${TAGGED}@${DIGEST}` }));
    const annotations = { 'tagpin.dev/refresh': '1' };
    const template = await replaceBy(kubectl, 'Deployment', { image: TAGGED, annotations });
    expect(pinsOf(template)).toEqual({ images: { web: TAGGED } });
  });
});
