import { execFile } from 'node:child_process';
import { cp, mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { parseAllDocuments } from 'yaml';

import { binaryPath } from './support/binaries.ts';
import { readEnvironment } from './support/environment.ts';
import { Kubectl } from './support/kubectl.ts';
import { writeSchemas } from './support/schemas.ts';

const MANIFESTS = join(import.meta.dirname, '..', 'manifests');
// cert-manager's kinds are its own, and no part of the API server.
const FOREIGN_KINDS = ['Certificate', 'Issuer'];

interface Manifest {
  kind: string;
  metadata: { name: string; annotations?: Record<string, string> };
}

interface WebhookConfiguration extends Manifest {
  webhooks: { clientConfig: { caBundle?: string } }[];
}

interface Deployment extends Manifest {
  spec: { template: { spec: { containers: object[] } } };
}

const { kubeconfig, webhook } = readEnvironment();
const kubectl = new Kubectl(kubeconfig);

/** A copy of the manifests, in which the certificate's files and overlays can be put. */
let kustomize: string;

async function render(folder: string): Promise<Manifest[]> {
  const { stdout } = await kubectl.run(['kustomize', join(kustomize, folder)]);
  return parseAllDocuments(stdout).map((document) => document.toJS() as Manifest);
}

function find(manifests: readonly Manifest[], kind: string): Manifest {
  return manifests.find((manifest) => manifest.kind === kind)!;
}

function namesOf(manifests: readonly Manifest[]): string[] {
  return manifests.map(({ kind, metadata }) => `${kind}/${metadata.name}`).toSorted();
}

/** The Pod of the Deployment with a container that differs; what the API server answers. */
async function createPod(container: object): Promise<string> {
  const deployment = find(await render('base'), 'Deployment') as Deployment;
  const { spec } = deployment.spec.template;
  const pod = {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { name: 'candidate', namespace: 'tagpin-system' },
    spec: { ...spec, containers: [{ ...spec.containers[0], ...container }] },
  };
  const { stderr } = await kubectl.run(['create', '--dry-run=server', '--filename=-'], {
    input: pod,
    mayFail: true,
  });
  return stderr;
}

beforeAll(async () => {
  const root = await mkdtemp(join(tmpdir(), 'tagpin-manifests-'));
  await cp(MANIFESTS, root, { recursive: true });
  kustomize = join(root, 'kustomize');
  const files = join(kustomize, 'overlays', 'files');
  await cp(webhook.certificateFile, join(files, 'tls.crt'));
  await cp(webhook.keyFile, join(files, 'tls.key'));
  await writeFile(join(files, 'ca.crt'), 'the authority\n');
  await mkdir(join(kustomize, 'overlays', 'additions'));
  await writeFile(
    join(kustomize, 'overlays', 'additions', 'kustomization.yaml'),
    'resources: [../files]\n' +
      'components: [../../components/keep-pins, ../../components/validate-digests-files, ../../components/shared-cache]\n',
  );
});

afterAll(() => rm(join(kustomize, '..'), { recursive: true, force: true }));

describe('the manifests, held against the schemas of the API server', () => {
  let schemas: string;

  beforeAll(async () => {
    const all = [...(await render('overlays/additions')), ...(await render('overlays/built-in'))];
    const kinds = new Set(all.map(({ kind }) => kind));
    schemas = await writeSchemas(kubectl, join(kustomize, 'schemas'), kinds);
  });

  /** What kubeconform says of some objects, and how it ends. */
  function kubeconform(objects: readonly Manifest[]): Promise<string> {
    const skip = FOREIGN_KINDS.join(',');
    return new Promise((resolve) => {
      const child = execFile(
        binaryPath('kubeconform'),
        ['-strict', '-summary', '-skip', skip, '-schema-location', schemas],
        (error, stdout) => resolve(`${stdout}exit ${Number(error?.code ?? 0)}`),
      );
      child.stdin?.end(JSON.stringify({ apiVersion: 'v1', kind: 'List', items: objects }));
    });
  }

  it.each([
    'base',
    'overlays/files',
    'overlays/cert-manager',
    'overlays/built-in',
    'overlays/additions',
  ])('are valid in the strict sense: %s', async (folder) => {
    const manifests = await render(folder);
    const skipped = manifests.filter(({ kind }) => FOREIGN_KINDS.includes(kind)).length;
    const report = await kubeconform(manifests);
    expect(report).toContain(
      `Valid: ${manifests.length - skipped}, Invalid: 0, Errors: 0, Skipped: ${skipped}`,
    );
    expect(report).toMatch(/exit 0$/);
  });

  it('would not be with a field that does not exist', async () => {
    const deployment = find(await render('base'), 'Deployment') as Deployment;
    const misspelt = { ...deployment.spec.template.spec, enableServiceLink: false };
    const spec = { ...deployment.spec, template: { spec: misspelt } };
    const changed: Deployment = { ...deployment, spec };
    const report = await kubeconform([changed]);
    expect(report).toContain("additional properties 'enableServiceLink' not allowed");
    expect(report).toMatch(/exit 1$/);
  });
});

describe('the namespace of the manifests', () => {
  it('takes a Pod of the Deployment under the restricted Pod Security Standard', async () => {
    expect(await createPod({})).toBe('');
  });

  it('takes no Pod that asks for more', async () => {
    expect(await createPod({ securityContext: {} })).toContain(
      'violates PodSecurity "restricted:latest"',
    );
  });
});

describe('the overlays', () => {
  it('write the authority of the files into each webhook entry', async () => {
    const manifests = await render('overlays/files');
    const authority = await readFile(join(kustomize, 'overlays', 'files', 'ca.crt'), 'utf8');
    const { webhooks } = find(manifests, 'MutatingWebhookConfiguration') as WebhookConfiguration;
    expect(webhooks).toHaveLength(6);
    for (const { clientConfig } of webhooks) {
      expect(Buffer.from(clientConfig.caBundle ?? '', 'base64').toString()).toBe(authority);
    }
    expect(find(manifests, 'Secret').metadata.name).toBe('tagpin-tls');
  });

  it('write it into what components add', async () => {
    const manifests = await render('overlays/additions');
    const [mutating, validating] = [
      'MutatingWebhookConfiguration',
      'ValidatingWebhookConfiguration',
    ].map((kind) => (find(manifests, kind) as WebhookConfiguration).webhooks[0]?.clientConfig);
    expect(validating?.caBundle).toBe(mutating?.caBundle);
    expect(mutating?.caBundle).toMatch(/^[\w+/]+=*$/);
  });

  it('ask cert-manager for the Secret that the Deployment mounts, and for the caBundle', async () => {
    const manifests = await render('overlays/cert-manager');
    const configuration = find(manifests, 'MutatingWebhookConfiguration');
    const [namespace, name] =
      configuration.metadata.annotations?.['cert-manager.io/inject-ca-from']?.split('/') ?? [];
    const certificate = manifests.find(
      ({ kind, metadata }) => kind === 'Certificate' && metadata.name === name,
    );
    expect(certificate).toMatchObject({
      metadata: { namespace },
      spec: { secretName: 'tagpin-tls', dnsNames: ['tagpin.tagpin-system.svc'] },
    });
  });

  it('leave to tagpin what it writes itself, with built-in certificates, and mount none', async () => {
    const overlay = join(kustomize, 'overlays', 'built-in-additions');
    await mkdir(overlay);
    await writeFile(
      join(overlay, 'kustomization.yaml'),
      'resources: [../built-in]\ncomponents: [../../components/validate-digests-built-in]\n',
    );
    const manifests = await render('overlays/built-in-additions');
    const configurations = manifests.filter(({ kind }) => kind.endsWith('WebhookConfiguration'));
    const entries = (configurations as WebhookConfiguration[]).flatMap(({ webhooks }) => webhooks);
    expect(entries).toHaveLength(7);
    for (const { clientConfig } of entries) {
      expect(clientConfig).toEqual({ service: { name: 'tagpin', namespace: 'tagpin-system' } });
    }
    const { spec } = (find(manifests, 'Deployment') as Deployment).spec.template;
    expect(spec).toMatchObject({ volumes: [], containers: [{ volumeMounts: [] }] });
    expect(spec.containers[0]).toHaveProperty(
      'args',
      expect.arrayContaining(['--certificates=built-in']),
    );
    expect(JSON.stringify(spec)).not.toContain('tls-cert');
    expect(manifests.filter(({ kind }) => kind === 'Secret')).toEqual([]);
  });

  it('can leave out the permission for the whole cluster, and keep its text', async () => {
    const overlay = join(kustomize, 'overlays', 'namespaced');
    await mkdir(overlay);
    await writeFile(
      join(overlay, 'kustomization.yaml'),
      'resources: [../../base]\ncomponents: [../../components/namespaced-secrets]\n',
    );
    const all = namesOf(await render('base'));
    const binding = 'ClusterRoleBinding/tagpin-pull-secret-reader';
    expect(all).toContain(binding);
    const others = all.filter((name) => name !== binding);
    expect(namesOf(await render('overlays/namespaced'))).toEqual(others);
  });
});
