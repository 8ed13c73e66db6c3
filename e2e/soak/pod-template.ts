import { isJsonObject, listOf, objectAt, parseJson, textOf } from '../../src/json.ts';
import type { AskedImage, Outcome } from './admission.ts';
import type { Answer } from './cluster-api.ts';
import { PULL_SECRET } from './world.ts';

/** Of the first image, in a container that ends; the others follow. */
export function podSpecOf(asked: readonly AskedImage[]): object {
  const containers = asked.map(({ container, image }) => ({ name: container, image }));
  // Of several, the last one runs before the others.
  const initContainers = containers.length > 2 ? containers.splice(-1) : [];
  return { containers, initContainers, imagePullSecrets: [{ name: PULL_SECRET }] };
}

/** Image by container, of an object of the API server that is a Pod, or holds a template of one. */
export function imagesOf(object: object): Readonly<Record<string, string>> {
  const spec = objectAt(object, ['spec', 'template', 'spec']) ?? objectAt(object, ['spec']) ?? {};
  const containers = ['containers', 'initContainers'].flatMap((list) => listOf(spec, list));
  return Object.fromEntries(
    containers
      .filter(isJsonObject)
      .map((container) => [textOf(container, 'name'), textOf(container, 'image')]),
  ) as Record<string, string>;
}

/** The mark on a Pod: container to reason. */
export function unpinnedOf(object: object): Readonly<Record<string, string>> {
  const annotations = objectAt(object, ['metadata', 'annotations']);
  const mark = textOf(annotations, 'tagpin.dev/unpinned');
  const parsed = mark === undefined ? undefined : parseJson(mark);
  return isJsonObject(parsed) ? (parsed as Record<string, string>) : {};
}

/** What became of a create or a change. */
export function outcomeOf({ status, text, warnings }: Answer): Outcome {
  if (status === 0) return { kind: 'broken', message: text };
  const body = parseJson(text);
  if (!isJsonObject(body)) return { kind: 'refused', status, message: text };
  if (status >= 300) return { kind: 'refused', status, message: textOf(body, 'message') ?? text };
  return { kind: 'stored', images: imagesOf(body), warnings, unpinned: unpinnedOf(body) };
}
