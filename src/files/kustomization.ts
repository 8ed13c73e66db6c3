import { printableJson } from '../image/printable.ts';
import { isJsonObject, listOf, textOf } from '../json.ts';
import type { Finding } from './finding.ts';
import { type ManifestObject, nameOf } from './objects.ts';
import { digestSlot } from './parts.ts';

/** Tells whether an object is a kustomization, or a component of one. */
export function isKustomization({ group, kind }: ManifestObject): boolean {
  const isOurs = kind === 'Kustomization' || kind === 'Component';
  return isOurs && (group === 'kustomize.config.k8s.io' || group === '');
}

/**
 * The entries of `images:` that set a tag or a digest; others take the tag of another file. Both
 * `newTag` and `digest` together make `name:tag@digest` (kustomize v5, filters/imagetag).
 */
export function kustomizeImagesIn(finding: Finding, object: ManifestObject): void {
  listOf(object.value, 'images').forEach((entry, index) => {
    const name = isJsonObject(entry) ? textOf(entry, 'name') : undefined;
    if (!isJsonObject(entry) || name === undefined) return;
    const path = [...object.path, 'images', `${index}`];
    digestSlot(finding, {
      path,
      label: `kustomize image ${printableJson(name)}`,
      object: nameOf(object),
      repository: textOf(entry, 'newName') ?? name,
      tagField: 'newTag',
      // The type of the field is text: a number keeps its spelling.
      numberIsText: true,
    });
  });
}
