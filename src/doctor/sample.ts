import { readReference } from '../image/read-reference.ts';
import { type JsonObject, listOf, objectAt, objectIn, textOf } from '../json.ts';
import { ORIGINALS_ANNOTATION } from '../workload/annotations.ts';
import { imagePlacesOf, locationOf, podTemplateOf } from '../workload/locations.ts';
import { countingEntry, parseOriginals } from '../workload/originals.ts';

/** An image that runs, by the tag that its user wrote, with what its Pod asks registries with. */
export interface Sample {
  readonly image: string;
  readonly registry: string;
  readonly serviceAccount: string | undefined;
  readonly imagePullSecrets: readonly unknown[];
}

/** The images of Pods that have a tag, or had one before they were pinned; each once. */
export function samplesOf(pods: readonly JsonObject[]): readonly Sample[] {
  const where = locationOf('', 'Pod');
  const samples = new Map<string, Sample>();
  for (const pod of pods) {
    const template = where && podTemplateOf(pod, where);
    const spec = objectIn(pod, 'spec');
    if (template === undefined || spec === undefined) continue;
    const annotations = objectAt(pod, ['metadata', 'annotations']);
    const originals = parseOriginals(annotations?.[ORIGINALS_ANNOTATION]);
    for (const { key, image } of imagePlacesOf(template)) {
      const asked = countingEntry(originals, key, image)?.reference ?? image;
      const registry = registryOf(asked);
      if (registry === undefined || samples.has(asked)) continue;
      const serviceAccount = textOf(spec, 'serviceAccountName');
      const imagePullSecrets = listOf(spec, 'imagePullSecrets');
      samples.set(asked, { image: asked, registry, serviceAccount, imagePullSecrets });
    }
  }
  return [...samples.values()];
}

/** Undefined for what carries a digest, or is no image. */
function registryOf(image: string): string | undefined {
  // Who wrote what is none is told by tagpin itself.
  const reference = readReference(image);
  return reference?.digest === undefined ? reference?.registry : undefined;
}
