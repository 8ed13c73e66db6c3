import type { TestImage } from './test-image.ts';
import type { PodTemplate } from './workload.ts';

/** What stands in the images of a pod template, and what its record says they were. */
export interface Pins {
  /** By container name, or `volume/<name>`. */
  readonly images: Readonly<Record<string, string>>;
  /** The annotation `tagpin.dev/originals`, parsed. */
  readonly originals?: Readonly<Record<string, string>>;
}

/** Reads the images and the record of a stored template. */
export function pinsOf({ metadata, spec }: PodTemplate): Pins {
  const containers = [
    ...spec.containers,
    ...(spec.initContainers ?? []),
    ...(spec.ephemeralContainers ?? []),
  ].map(({ name, image }) => [name, image]);
  const volumes = (spec.volumes ?? [])
    .filter(({ image }) => image !== undefined)
    .map(({ name, image }) => [`volume/${name}`, image?.reference]);
  const images = Object.fromEntries([...containers, ...volumes]) as Record<string, string>;
  const record = metadata?.annotations?.['tagpin.dev/originals'];
  if (record === undefined) return { images };
  return { images, originals: JSON.parse(record) as Record<string, string> };
}

/** What must stand there when every image was pinned to what crane says of its tag now. */
export async function pinsTo(images: Readonly<Record<string, TestImage>>): Promise<Pins> {
  const pins = { images: {} as Record<string, string>, originals: {} as Record<string, string> };
  for (const [key, image] of Object.entries(images)) {
    const digest = await image.digest();
    pins.images[key] = `${image.name}@${digest}`;
    pins.originals[key] = `${image.tagged} ${digest}`;
  }
  return pins;
}

/** What must stand there when the container `web` was left as it was written. */
export function untouched(image: TestImage): Pins {
  return { images: { web: image.tagged } };
}
