import { type KubernetesObject, renderManifests } from '../support/manifests.ts';
import type { BenchCluster } from './bench-cluster.ts';

interface WebhookConfiguration extends KubernetesObject {
  readonly webhooks: readonly { readonly name: string }[];
}

/** Where the API server is to call, and for the Pods of which namespace alone. */
interface Called {
  readonly namespace: string;
  readonly port: number;
}

/** Installs the entry for Pods as the manifests have it, but that a webhook without an answer fails. */
export async function installPodEntry(cluster: BenchCluster, called: Called): Promise<void> {
  const objects = await renderManifests(cluster.kubectl);
  const all = objects.find(({ kind }) => kind === 'MutatingWebhookConfiguration');
  const entry = (all as WebhookConfiguration | undefined)?.webhooks.find(
    ({ name }) => name === 'pods.pin.tagpin.dev',
  );
  if (entry === undefined) throw new Error('The manifests have no entry pods.pin.tagpin.dev');
  const { namespace, port } = called;
  await cluster.kubectl.apply({
    apiVersion: 'admissionregistration.k8s.io/v1',
    kind: 'MutatingWebhookConfiguration',
    metadata: { name: namespace },
    webhooks: [
      {
        ...entry,
        clientConfig: {
          url: `https://127.0.0.1:${port}/admission/pin`,
          caBundle: Buffer.from(cluster.authority).toString('base64'),
        },
        namespaceSelector: { matchLabels: { 'kubernetes.io/metadata.name': namespace } },
        failurePolicy: 'Fail',
      },
    ],
  });
}
