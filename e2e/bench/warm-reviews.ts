import fastJsonPatch, { type Operation } from 'fast-json-patch';

import type { LocalWebhook } from '../support/local-webhook.ts';
import { deploymentOf, OF_A_REPLICA_SET, podReview, reviewOf } from './reviews.ts';

/** How many images Pods have. */
export const IMAGES: readonly number[] = [1, 3, 30];

export function countOf(count: number, what: string): string {
  return `${count} ${what}${count === 1 ? '' : 's'}`;
}

/** Every kind of review, after the webhook has seen each image once. */
export async function bodiesOf(
  webhook: LocalWebhook,
  images: readonly string[],
): Promise<Readonly<Record<string, unknown>>> {
  const pods = IMAGES.map(
    (count) => [`Pod of ${countOf(count, 'image')}`, podReview(images.slice(0, count))] as const,
  );
  for (const [, body] of pods) await patched(webhook, body);
  const three = images.slice(0, 3);
  const template = deploymentOf(three);
  const deployment = {
    kind: 'Deployment',
    group: 'apps',
    resource: 'deployments',
    object: template,
  };
  const pinned = await patched(webhook, reviewOf(deployment));
  const digests = await patched(webhook, podReview(three));
  await patched(webhook, podReview(three, OF_A_REPLICA_SET));
  return {
    ...Object.fromEntries(pods),
    "Pod of a ReplicaSet, 3 of its siblings' pins": podReview(three, OF_A_REPLICA_SET),
    'Deployment of 3 images': reviewOf(deployment),
    'UPDATE that keeps 3 pins': reviewOf({ ...deployment, operation: 'UPDATE', oldObject: pinned }),
    '3 images, pinned already': reviewOf({ kind: 'Pod', resource: 'pods', object: digests }),
    '3 images, all skipped': podReview(three, { annotations: { 'tagpin.dev/skip': 'true' } }),
  };
}

/** The object as the API server would store it. */
async function patched(webhook: LocalWebhook, body: unknown): Promise<unknown> {
  const { response } = await webhook.send('pin', body);
  if (response.patch === undefined) throw new Error('The webhook pinned nothing');
  const patch = JSON.parse(Buffer.from(response.patch, 'base64').toString()) as Operation[];
  const { object } = (body as { readonly request: { readonly object: object } }).request;
  return fastJsonPatch.applyPatch(structuredClone(object), patch).newDocument;
}
