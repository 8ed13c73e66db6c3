import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, relative } from 'node:path';
import { parseAllDocuments, stringify } from 'yaml';

import type { Kubectl } from './kubectl.ts';

const KUSTOMIZE = join(import.meta.dirname, '..', '..', 'manifests', 'kustomize');
const BASE = join(KUSTOMIZE, 'base');

/** As much of a Kubernetes object as is read here. */
export interface KubernetesObject {
  readonly apiVersion: string;
  readonly kind: string;
  readonly metadata: { readonly name: string };
}

interface WebhookConfiguration extends KubernetesObject {
  readonly webhooks: readonly {
    readonly clientConfig: { readonly service: { readonly path: string } };
  }[];
}

type PointedAtEndpoint = KubernetesObject & {
  readonly webhooks: readonly {
    readonly clientConfig: { readonly url: string; readonly caBundle: string };
  }[];
};

/** Where the webhook listens, and whose certificates prove it. */
export interface WebhookEndpoint {
  readonly port: number;
  readonly certificateAuthority: string;
}

/** What the base of this project renders to. Throws what kubectl printed where it does not. */
export function renderManifests(kubectl: Kubectl): Promise<readonly KubernetesObject[]> {
  return render(kubectl, BASE);
}

/** What an overlay has that takes a component beside the base, and the base by itself has not. */
export async function addedByComponent(
  kubectl: Kubectl,
  component: string,
): Promise<readonly KubernetesObject[]> {
  const nameOf = ({ kind, metadata }: KubernetesObject): string => `${kind}/${metadata.name}`;
  const base = new Set((await renderManifests(kubectl)).map(nameOf));
  const all = await renderWithComponent(kubectl, component);
  return all.filter((object) => !base.has(nameOf(object)));
}

/** The objects of an overlay that takes a component beside the base. */
export async function renderWithComponent(
  kubectl: Kubectl,
  component: string,
): Promise<readonly KubernetesObject[]> {
  const overlay = await mkdtemp(join(tmpdir(), 'tagpin-overlay-'));
  const path = (folder: string): string => relative(overlay, folder);
  const file = {
    resources: [path(BASE)],
    components: [path(join(KUSTOMIZE, 'components', component))],
  };
  try {
    await writeFile(join(overlay, 'kustomization.yaml'), stringify(file));
    return await render(kubectl, overlay);
  } finally {
    await rm(overlay, { recursive: true });
  }
}

async function render(kubectl: Kubectl, folder: string): Promise<readonly KubernetesObject[]> {
  const { stdout } = await kubectl.run(['kustomize', folder]);
  return parseAllDocuments(stdout).map((document) => document.toJS() as KubernetesObject);
}

/**
 * Installs the project's own manifests. One thing is changed: there is no network of Services
 * here, so the API server is sent to an address instead, at the same path.
 *
 * @throws Error with what kubectl printed when the API server refuses one of them
 */
export async function installManifests(kubectl: Kubectl, endpoint: WebhookEndpoint): Promise<void> {
  const objects = await renderManifests(kubectl);
  const items = objects.map((object) =>
    isWebhookConfiguration(object) ? atEndpoint(object, endpoint) : object,
  );
  await applyAll(kubectl, items);
}

/**
 * The same with built-in certificates, of whose entries tagpin itself writes path and authority.
 *
 * @param port of what the API server is sent to
 */
export async function installBuiltIn(kubectl: Kubectl, port: number): Promise<void> {
  const objects = await renderWithComponent(kubectl, 'built-in-certificates');
  const items = objects.map((object) => {
    if (!isWebhookConfiguration(object)) return object;
    const clientConfig = { url: `https://127.0.0.1:${port}` };
    return { ...object, webhooks: object.webhooks.map((entry) => ({ ...entry, clientConfig })) };
  });
  await applyAll(kubectl, items);
}

/** Applies objects, with a Namespace before what is in it. */
export async function applyAll(
  kubectl: Kubectl,
  items: readonly { readonly kind: string }[],
): Promise<void> {
  // kubectl keeps the order.
  const namespaces = items.filter(({ kind }) => kind === 'Namespace');
  const others = items.filter(({ kind }) => kind !== 'Namespace');
  await kubectl.apply({ apiVersion: 'v1', kind: 'List', items: [...namespaces, ...others] });
}

/**
 * Installs what a component adds to the base, at the endpoint of what is installed; gives a function
 * that takes it away again.
 */
export async function installComponent(
  kubectl: Kubectl,
  component: string,
): Promise<() => Promise<void>> {
  const { webhooks } = await kubectl.get<PointedAtEndpoint>(
    'mutatingwebhookconfiguration',
    'tagpin',
  );
  const { url = '', caBundle = '' } = webhooks[0]?.clientConfig ?? {};
  const certificateAuthority = Buffer.from(caBundle, 'base64').toString();
  const endpoint = { port: Number(new URL(url).port), certificateAuthority };
  const items = (await addedByComponent(kubectl, component)).map((object) =>
    isWebhookConfiguration(object) ? atEndpoint(object, endpoint) : object,
  );
  const added = { apiVersion: 'v1', kind: 'List', items };
  await kubectl.apply(added);
  return async () => {
    await kubectl.run(['delete', '--filename=-'], { input: added });
  };
}

function isWebhookConfiguration(object: KubernetesObject): object is WebhookConfiguration {
  return object.kind.endsWith('WebhookConfiguration');
}

function atEndpoint(
  configuration: WebhookConfiguration,
  endpoint: WebhookEndpoint,
): PointedAtEndpoint {
  const caBundle = Buffer.from(endpoint.certificateAuthority).toString('base64');
  const webhooks = configuration.webhooks.map((webhook) => ({
    ...webhook,
    clientConfig: {
      url: `https://127.0.0.1:${endpoint.port}${webhook.clientConfig.service.path}`,
      caBundle,
    },
  }));
  return { ...configuration, webhooks };
}
