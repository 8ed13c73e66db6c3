import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, describe, expect, it } from '@jest/globals';
import { parse } from 'yaml';

import { readEnvironment } from './support/environment.ts';
import { eventually } from './support/eventually.ts';
import { Kubectl, type KubectlResult } from './support/kubectl.ts';
import { hasImageVolumes } from './support/kubernetes-version.ts';
import { renderWithComponent } from './support/manifests.ts';
import { createNamespace } from './support/test-namespace.ts';

// The policy's own text, bound to namespaces with a label of this test. Under the label of the
// manifests the webhook would answer first, and pin or refuse by itself.
const LABEL = 'e2e.tagpin.dev/policy';
const BASE = join(import.meta.dirname, '..', 'manifests', 'kustomize', 'base');
const DIGEST = `sha256:${'1f'.repeat(32)}`;
const PINNED = `nginx@${DIGEST}`;

interface Policy {
  readonly metadata: { name: string };
}

interface Binding {
  readonly metadata: { name: string };
  readonly spec: {
    policyName: string;
    paramRef: { name: string; namespace: string };
    matchResources: { namespaceSelector: { matchLabels: Record<string, string> } };
  };
}

/** The operator's list of images that may run by tag. */
interface SkipList {
  readonly metadata: { name: string; namespace: string };
  readonly data: { skip: string };
}

interface Container {
  name: string;
  image: string;
  imagePullPolicy?: string;
}

/** The images of a Pod by the place they stand in; a container with a digest where none is given. */
interface Images {
  containers?: Container[];
  initContainers?: Container[];
  volumes?: { name: string; image: { reference: string } }[];
  annotations?: Record<string, string>;
  nodeName?: string;
}

const { kubeconfig } = readEnvironment();
const admin = new Kubectl(kubeconfig);

function pod(name: string, images: Images): object {
  const { annotations, ...spec } = images;
  return {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { name, ...(annotations === undefined ? {} : { annotations }) },
    spec: { containers: [{ name: 'web', image: PINNED }], ...spec },
  };
}

function web(image: string): Images {
  return { containers: [{ name: 'web', image }] };
}

/** An image volume, where there are any. */
function volume(name: string, reference: string): Required<Images>['volumes'] {
  return hasImageVolumes() ? [{ name, image: { reference } }] : [];
}

function readBase(file: string): unknown {
  return parse(readFileSync(join(BASE, file), 'utf8'));
}

/** The policy as an overlay renders it that takes a component. */
async function policyWith(component: string): Promise<Policy> {
  const objects = await renderWithComponent(admin, component);
  return objects.find(({ metadata: { name } }) => name === 'tagpin-enforce')!;
}

/** Writes the list that holds in a namespace of these tests: the base's, or the given globs. */
async function writeSkipList(kubectl: Kubectl, skip?: readonly string[]): Promise<void> {
  const { data, ...list } = readBase('skip-list.yaml') as SkipList;
  const metadata = { ...list.metadata, namespace: kubectl.namespace! };
  await admin.apply({
    ...list,
    metadata,
    data: skip === undefined ? data : { skip: skip.join(', ') },
  });
}

/** Binds a copy of the policy to a namespace, and waits until it refuses. */
async function enforce(
  kubectl: Kubectl,
  skip?: readonly string[],
  policy: Policy = readBase('../../helm/files/policies/enforce.yaml') as Policy,
): Promise<void> {
  const namespace = kubectl.namespace!;
  const binding = readBase('policy-binding.yaml') as Binding;
  policy.metadata.name = binding.metadata.name = binding.spec.policyName = namespace;
  binding.spec.matchResources.namespaceSelector.matchLabels = { [LABEL]: namespace };
  binding.spec.paramRef.namespace = namespace;
  await writeSkipList(kubectl, skip);
  await admin.apply(policy);
  await admin.apply(binding);
  await admin.run(['label', 'namespace', namespace, `${LABEL}=${namespace}`]);
  await eventually(async () => {
    expect(await create(kubectl, web('nginx:1.27'))).toContain('[unpinned]');
  });
}

/** Asks for a Pod that is not stored; '' when it would be, else what the API server answered. */
async function create(
  kubectl: Kubectl,
  images: Images,
  as: readonly string[] = [],
): Promise<string> {
  const result = await kubectl.run(['create', '--dry-run=server', '--filename=-', ...as], {
    input: pod('candidate', images),
    mayFail: true,
  });
  return answer(result);
}

function answer(result: KubectlResult): string {
  return result.exitCode === 0 ? '' : result.stderr;
}

describe('the policy of enforce, on a new Pod', () => {
  let kubectl: Kubectl;

  beforeAll(async () => {
    kubectl = await createNamespace(kubeconfig);
    await enforce(kubectl);
  });

  it('is free of type-checking warnings', async () => {
    await eventually(async () => {
      const { status } = await admin.get<{ status: object }>(
        'validatingadmissionpolicies',
        kubectl.namespace!,
      );
      expect(status).toHaveProperty('typeChecking', {});
    });
  });

  it.each([
    ['a digest', web(PINNED)],
    ['a tag and a digest', web(`registry.example.com:5000/a/b:1.27@${DIGEST}`)],
    ['a sha384 digest', web(`nginx@sha384:${'0'.repeat(96)}`)],
    ['a sha512 digest', web(`nginx@sha512:${'0'.repeat(128)}`)],
    ['an image volume with a digest', { volumes: volume('m', PINNED) }],
    ['an init container with a digest', { initContainers: [{ name: 'i', image: PINNED }] }],
    ['a host of the default skip list', web('kind.local/app:1')],
    ['a host and path of the default skip list', web('ko.local/a/b/c')],
    ['localhost', web('localhost/app:1')],
    ['a port of localhost', web('localhost:5000/team/app:1')],
  ] satisfies [string, Images][])('stores %s', async (_, images) => {
    expect(await create(kubectl, images)).toBe('');
  });

  it.each([
    ['a tag', 'nginx:1.27'],
    ['no tag', 'nginx'],
    ['auto', 'auto'],
    ['a digest that is too short', 'nginx@sha256:1f1f'],
    ['a digest that is too long', `${PINNED}1f`],
    ['a digest in capitals', `nginx@sha256:${'1F'.repeat(32)}`],
    ['a sha512 digest of the length of sha256', `nginx@sha512:${'1f'.repeat(32)}`],
    ['a digest of nothing', `@${DIGEST}`],
    ['a digest in the middle', `nginx@${DIGEST}:1.27`],
    ['a host that starts like one of the skip list', 'kind.local.example.com/app:1'],
    ['a host that ends like one of the skip list', 'a.kind.local/app:1'],
    ['a skipped host further down the path', 'registry.example.com/kind.local/app:1'],
    ['a skipped host as a name on Docker Hub', 'docker.io/kind.local/app:1'],
    ['a skipped host as a name on Docker Hub, its old host', 'index.docker.io/kind.local/app:1'],
    ['a skipped host as the whole name', 'kind.local:1'],
    ['localhost as the whole name', 'localhost:5000'],
    ['localhost in capitals', 'LOCALHOST/app:1'],
  ])('refuses %s', async (_, image) => {
    expect(await create(kubectl, web(image))).toContain(`container "web" (${image})`);
  });

  it('names every image at fault, and where it stands', async () => {
    const refusal = await create(kubectl, {
      containers: [
        { name: 'web', image: 'nginx:1.27' },
        { name: 'fine', image: PINNED },
      ],
      initContainers: [{ name: 'setup', image: 'busybox' }],
      volumes: volume('model', 'registry.example.com/model:2'),
    });
    const ofVolume = ', image volume "model" (registry.example.com/model:2)';
    expect(refusal).toContain(
      'container "web" (nginx:1.27), init container "setup" (busybox)' +
        `${hasImageVolumes() ? ofVolume : ''}; write the image as`,
    );
    expect(refusal).toMatch(/^Error from server \(Forbidden\)/);
  });

  it.each([
    ['an image with a line break', web('nginx\n:1.27')],
    ['more images than a message holds', { containers: numbered(60, `${'a'.repeat(200)}:1`) }],
  ])('says it in general for %s', async (_, images) => {
    expect(await create(kubectl, images)).toContain('some of this Pod carry no digest');
  });

  it('evaluates a Pod of 400 containers within its budget', async () => {
    expect(await create(kubectl, { containers: numbered(400, PINNED) })).toBe('');
  });

  it('lets a node tell of a static Pod, and nobody else', async () => {
    const mirror: Images = {
      ...web('nginx:1.27'),
      annotations: { 'kubernetes.io/config.mirror': 'x' },
      nodeName: 'node1',
    };
    const node = ['--as=system:node:node1', '--as-group=system:nodes', '--as-group=system:masters'];
    expect(await create(kubectl, mirror, node)).toBe('');
    expect(await create(kubectl, web('nginx:1.27'), node)).toContain('[unpinned]');
    expect(await create(kubectl, mirror)).toContain('[unpinned]');
  });
});

describe('the policy of enforce, with globs of the operator', () => {
  let kubectl: Kubectl;

  beforeAll(async () => {
    kubectl = await createNamespace(kubeconfig);
    await enforce(kubectl, [
      'registry.example.com:5000/team/*',
      'docker.io/library/busybox',
      'docker.io/grafana/*',
      '*/mirror/*',
      '[fc00::1]:5000/*',
      'HOST/*',
      // More than a letter in a regular expression, and in no name.
      'a.example.com/(b|*',
      'a.example.com/b+',
      'a\\E|.*',
      '',
    ]);
  });

  it.each([
    'registry.example.com:5000/team/app:1',
    'registry.example.com:5000/team/a/b',
    'busybox:1.36',
    'library/busybox',
    'docker.io/busybox',
    'docker.io/library/busybox:1',
    'index.docker.io/library/busybox',
    'grafana/grafana:11',
    'ghcr.io/mirror/app:1',
    'a.example.com/b/mirror/c:1',
    '[fc00::1]:5000/app:1',
    'HOST/app:1',
  ])('stores %s', async (image) => {
    expect(await create(kubectl, web(image))).toBe('');
  });

  it.each([
    'registry.example.com:5000/teams/app:1',
    'registry.example.com/team/app:1',
    'registry-example.com:5000/team/app:1',
    'busybox2:1',
    'ghcr.io/library/busybox:1',
    'a.example.com/docker.io/library/busybox:1',
    'kind.local/app:1',
    '[fc00::2]:5000/app:1',
    'host/app:1',
    'a.example.com/bb:1',
  ])('refuses %s', async (image) => {
    expect(await create(kubectl, web(image))).toContain(`container "web" (${image})`);
  });
});

describe('the policy of enforce, whose list of globs', () => {
  const app = web('registry.example.com/app:1');
  let kubectl: Kubectl;

  beforeAll(async () => {
    kubectl = await createNamespace(kubeconfig);
    await enforce(kubectl, []);
  });

  it('is empty: exempts nothing', async () => {
    expect(await create(kubectl, web('kind.local/app:1'))).toContain('[unpinned]');
    expect(await create(kubectl, web(PINNED))).toBe('');
  });

  it('changes: judges by what it says now', async () => {
    await writeSkipList(kubectl, ['registry.example.com/*']);
    await eventually(async () => expect(await create(kubectl, app)).toBe(''));
    await writeSkipList(kubectl, ['registry.example.com/other']);
    await eventually(async () => expect(await create(kubectl, app)).toContain('[unpinned]'));
  });

  it('is gone: refuses every Pod, and says so', async () => {
    await kubectl.run(['delete', 'configmap', 'tagpin-skip-list']);
    await eventually(async () => {
      const refusal = await create(kubectl, web(PINNED));
      expect(refusal).toContain('no params found for policy binding with `Deny`');
    });
    await writeSkipList(kubectl);
    await eventually(async () => expect(await create(kubectl, web(PINNED))).toBe(''));
  });
});

describe('the policy of enforce, as it is installed', () => {
  it.each([
    ['an annotation', { annotations: { 'tagpin.dev/skip': 'true' } }],
    [
      'a forged record',
      { annotations: { 'tagpin.dev/originals': `{"web":"nginx:1.27 ${DIGEST}"}` } },
    ],
    [
      'a pull policy',
      { containers: [{ name: 'web', image: 'nginx:1.27', imagePullPolicy: 'Never' }] },
    ],
    ['the name of a container', { containers: [{ name: 'true', image: 'nginx:1.27' }] }],
    ['a node', { nodeName: 'node1' }],
  ] satisfies [string, Images][])('is not moved by %s', async (_, more) => {
    const kubectl = await createNamespace(kubeconfig, { mode: 'enforce' });
    const refusal = await create(kubectl, { ...web('nginx:1.27'), ...more });
    expect(refusal).toContain("ValidatingAdmissionPolicy 'tagpin-enforce'");
  });

  it('is not moved by a list of the tenant, in its own namespace', async () => {
    const kubectl = await createNamespace(kubeconfig, { mode: 'enforce' });
    await writeSkipList(kubectl, ['*']);
    expect(await create(kubectl, web('nginx:1.27'))).toContain("'tagpin-enforce'");
  });
});

describe('the policy of enforce, on a Pod from before the label', () => {
  let kubectl: Kubectl;

  async function attempt(...args: readonly string[]): Promise<string> {
    return answer(await kubectl.run(args, { mayFail: true }));
  }

  beforeAll(async () => {
    kubectl = await createNamespace(kubeconfig);
    await kubectl.apply(
      pod('old', {
        containers: [
          { name: 'web', image: 'nginx:1.27' },
          { name: 'log', image: 'fluent-bit:3' },
        ],
        initContainers: [{ name: 'setup', image: 'busybox:1' }],
        volumes: volume('model', 'registry.example.com/model:2'),
      }),
    );
    await kubectl.run(debug('first', 'busybox:1'));
    await enforce(kubectl);
  });

  it('stores a label', async () => {
    expect(await attempt('label', 'pod', 'old', 'a=b')).toBe('');
  });

  it('stores the status that a kubelet reports', async () => {
    const status = '{"status":{"phase":"Running"}}';
    expect(await attempt('patch', 'pod', 'old', '--subresource=status', '-p', status)).toBe('');
  });

  it.each([
    ['another tag', 'web=nginx:1.28', 'container "web" (nginx:1.28)'],
    ['the tag of its neighbour', 'web=fluent-bit:3', 'container "web" (fluent-bit:3)'],
    ['the tag of a debug container', 'web=busybox:1', 'container "web" (busybox:1)'],
    ['a tag in an init container', 'setup=busybox:2', 'init container "setup" (busybox:2)'],
  ])('refuses %s', async (_, change, named) => {
    const refusal = await attempt('set', 'image', 'pod/old', change);
    expect(refusal).toContain(`carry no digest: ${named};`);
  });

  it('refuses a debug container with a tag, and stores one with a digest', async () => {
    expect(await attempt(...debug('second', 'busybox:1'))).toContain(
      'ephemeral container "second"',
    );
    expect(await attempt(...debug('second', `busybox@${DIGEST}`))).toBe('');
  });

  it('does not give a tag back once it is replaced by a digest', async () => {
    expect(await attempt('set', 'image', 'pod/old', `log=fluent-bit@${DIGEST}`)).toBe('');
    expect(await attempt('set', 'image', 'pod/old', 'log=fluent-bit:3')).toContain('[unpinned]');
  });

  it('lets it lose its finalizer and go', async () => {
    const hold = '{"metadata":{"finalizers":["example.com/hold"]}}';
    const release = '{"metadata":{"finalizers":null}}';
    expect(await attempt('patch', 'pod', 'old', '-p', hold)).toBe('');
    expect(await attempt('delete', 'pod', 'old', '--wait=false', '--grace-period=0')).toBe('');
    expect(await attempt('patch', 'pod', 'old', '-p', release)).toBe('');
    await eventually(async () => {
      expect(await attempt('get', 'pod', 'old')).toContain('NotFound');
    });
  });
});

/** The arguments of kubectl that add an ephemeral container to the Pod "old". */
function debug(name: string, image: string): string[] {
  return ['debug', 'old', `--container=${name}`, `--image=${image}`, '--profile=general'];
}

function numbered(count: number, image: string): Container[] {
  return Array.from({ length: count }, (_, index) => ({ name: `c${index}`, image }));
}

describe('the policy of enforce, with the component skip-in-enforce', () => {
  let kubectl: Kubectl;
  const two = [
    { name: 'web', image: 'nginx:1.27' },
    { name: 'sidecar', image: 'envoy:1' },
  ];
  const models = volume('models', 'models:1');

  beforeAll(async () => {
    kubectl = await createNamespace(kubeconfig);
    await enforce(kubectl, undefined, await policyWith('skip-in-enforce'));
  });

  it.each([
    ['all of a Pod', { containers: two, volumes: models }, 'true', []],
    ['the containers it names', { containers: two }, 'web, sidecar', []],
    ['no other container', { containers: two }, 'sidecar', ['web']],
    ['an image volume by its name', { volumes: models }, 'volume/models', []],
    ['nothing where it is empty', { containers: two }, '', ['web', 'sidecar']],
  ])('excepts %s', async (...[, images, skip, refused]: [string, Images, string, string[]]) => {
    const said = await create(kubectl, { ...images, annotations: { 'tagpin.dev/skip': skip } });
    const named = ['web', 'sidecar', 'models'].filter((name) => said.includes(`"${name}"`));
    expect(named).toEqual(refused);
  });
});
