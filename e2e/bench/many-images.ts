import type { LocalWebhook } from '../support/local-webhook.ts';
import { sumSeries } from '../support/metrics.ts';
import { podOf, reviewOf } from './reviews.ts';

/** Of each Pod. */
export const IMAGES: readonly string[] = ['web', 'proxy', 'metrics', 'init'];
/** Namespaces share their places for look-ups. */
const FILLERS = 16;

/** The review of a Pod of a revision of its own, whose names are as long as they are in clusters. */
export function podText(host: string, images: readonly string[], n: number | string): string {
  const names = images.map((name) => `${host}/platform/services/${name}-${n}:2026.11.${n}`);
  const object = podOf(names);
  return JSON.stringify(reviewOf({ kind: 'Pod', resource: 'pods', namespace: 'bench', object }))
    .replaceAll('5d9c7b8f6d', `5d9c7b8f6d-${n}`)
    .replaceAll('"uid":"a"', `"uid":"5f0e6d0c-90f2-4c53-b2a4-${n}"`);
}

/** Has it look up the images of so many Pods, four of each. */
export async function fill(webhook: LocalWebhook, host: string, pods: number): Promise<void> {
  let next = 1;
  const worker = async (): Promise<void> => {
    while (next <= pods) {
      const n = next;
      next += 1;
      const text = inNamespace(podText(host, IMAGES, n), n);
      const { response } = await webhook.send('pin', JSON.parse(text));
      if (response.patch === undefined) throw new Error(`Pod ${n} was not pinned`);
    }
  };
  await Promise.all(Array.from({ length: FILLERS }, worker));
  const entries = sumSeries(await webhook.metrics(), 'tagpin_cache_entries');
  if (entries !== pods * IMAGES.length) throw new Error(`The cache has ${entries} entries`);
}

/** A namespace has a few places for look-ups. */
export function inNamespace(text: string, n: number): string {
  return text.replaceAll('"namespace":"bench"', `"namespace":"bench-${n % 100}"`);
}
