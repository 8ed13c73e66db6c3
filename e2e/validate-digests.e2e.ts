import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';

import { readEnvironment } from './support/environment.ts';
import { eventually } from './support/eventually.ts';
import { Kubectl } from './support/kubectl.ts';
import { installComponent } from './support/manifests.ts';
import { matchConditionErrors } from './support/match-conditions.ts';
import { pinsOf, pinsTo } from './support/pins.ts';
import { TestImage } from './support/test-image.ts';
import { createNamespace } from './support/test-namespace.ts';
import { Webhook } from './support/webhook.ts';
import { podTemplateOf, type StoredObject, workload } from './support/workload.ts';

const environment = readEnvironment();
const { kubeconfig, registry } = environment;
const admin = new Kubectl(kubeconfig);
const webhook = new Webhook(environment, ['--exempt-images=registry.example.com/base/*,busybox:1']);

const TAGGED = 'nginx:1.27';
const PINNED = `nginx@sha256:${'1f'.repeat(32)}`;
const REFUSED = 'admission webhook "digests.tagpin.dev" denied the request:';

/** Asks for a Pod that is not stored; '' when it would be, else what the API server answered. */
async function create(kubectl: Kubectl, image: string, podSpec: object = {}): Promise<string> {
  const { exitCode, stderr } = await kubectl.run(['create', '--dry-run=server', '--filename=-'], {
    input: workload('Pod', { name: 'candidate', image, podSpec }),
    mayFail: true,
  });
  return exitCode === 0 ? '' : stderr;
}

async function attempt(kubectl: Kubectl, ...args: readonly string[]): Promise<string> {
  const { exitCode, stderr } = await kubectl.run(args, { mayFail: true });
  return exitCode === 0 ? '' : stderr;
}

async function judged(kubectl: Kubectl): Promise<Kubectl> {
  const { namespace = '' } = kubectl;
  await admin.run(['label', 'namespace', namespace, 'tagpin.dev/validate=digests']);
  await eventually(async () => expect(await create(kubectl, TAGGED)).toContain(REFUSED));
  return kubectl;
}

let remove: () => Promise<void>;

beforeAll(async () => {
  remove = await installComponent(admin, 'validate-digests');
  await webhook.start();
});

afterAll(async () => {
  await webhook.stop();
  await remove();
});

describe('a namespace with the label tagpin.dev/validate: digests', () => {
  let kubectl: Kubectl;

  beforeAll(async () => {
    kubectl = await createNamespace(kubeconfig);
    await kubectl.apply(workload('Pod', { name: 'old', image: TAGGED }));
    await judged(kubectl);
  });

  it('refuses a tag in the words of K8sImageDigests', async () => {
    const initContainers = [{ name: 'setup', image: 'busybox' }];
    const refusal = await create(kubectl, TAGGED, { initContainers });
    expect(refusal).toContain(REFUSED);
    expect(refusal).toContain(`container <web> uses an image without a digest <${TAGGED}>`);
    expect(refusal).toContain('initContainer <setup> uses an image without a digest <busybox>');
  });

  it.each([PINNED, 'registry.example.com/base/os:1', 'busybox:1'])('stores %s', async (image) => {
    expect(await create(kubectl, image)).toBe('');
  });

  it('judges a debug container, and not those that were there', async () => {
    const debug = ['debug', 'old', '--profile=general', '--container=debugger'];
    expect(await attempt(kubectl, ...debug, '--image=busybox:2')).toContain(REFUSED);
    expect(await attempt(kubectl, ...debug, `--image=${PINNED}`)).toBe('');
  });

  it('lets a Pod from before be labelled and deleted, and take no other tag', async () => {
    expect(await attempt(kubectl, 'label', 'pod', 'old', 'a=b')).toBe('');
    expect(await attempt(kubectl, 'set', 'image', 'pod/old', 'web=nginx:1.28')).toContain(REFUSED);
    expect(await attempt(kubectl, 'delete', 'pod', 'old', '--grace-period=0')).toBe('');
  });

  it('counts what it refused', async () => {
    const labels = { operation: 'CREATE', outcome: 'denied' };
    expect(await webhook.metric('tagpin_validation_requests_total', labels)).toBeGreaterThan(0);
    expect(await matchConditionErrors(admin, 'digests.tagpin.dev')).toBe(0);
  });
});

describe('the label beside a mode', () => {
  it('judges what the mode has pinned before', async () => {
    const image = await TestImage.ofOnePlatform(registry);
    const kubectl = await judged(await createNamespace(kubeconfig, { mode: 'pin' }));
    await kubectl.apply(workload('Pod', { image: image.tagged }));
    const pod = await kubectl.get<StoredObject>('pod', 'web');
    expect(pinsOf(podTemplateOf(pod))).toEqual(await pinsTo({ web: image }));
  });
});

describe('a namespace without the label', () => {
  it('stores a tag', async () => {
    expect(await create(await createNamespace(kubeconfig), TAGGED)).toBe('');
  });
});

describe('while tagpin is down', () => {
  it('nothing is judged', async () => {
    const kubectl = await judged(await createNamespace(kubeconfig));
    await webhook.stop();
    expect(await create(kubectl, TAGGED)).toBe('');
  });
});
