import type { ListedObject } from '../../src/audit/inventory.ts';

/** What is of interest of an object with one container, `web`. */
interface ListedImage {
  readonly image?: string | undefined;
  /** What the node says that it runs. */
  readonly imageID?: string | undefined;
  /** Of the container, in the record of the template. */
  readonly record?: string;
}

const STEPS: Readonly<Record<string, readonly string[]>> = {
  Pod: [],
  CronJob: ['spec', 'jobTemplate', 'spec', 'template'],
};

/**
 * An object of the namespace `shop`, as an API server lists it.
 *
 * @param of `group/Kind`
 */
export function listed(of: string, name: string, image: ListedImage): ListedObject {
  const [group = '', kind = ''] = of.split('/');
  const annotations = image.record && {
    'tagpin.dev/originals': JSON.stringify({ web: image.record }),
  };
  const spec = { containers: [{ name: 'web', image: image.image }] };
  const steps = STEPS[kind] ?? ['spec', 'template'];
  const template = { ...(annotations && { metadata: { annotations } }), spec };
  const body = steps.reduceRight<object>((inner, step) => ({ [step]: inner }), template);
  const status = { containerStatuses: [{ name: 'web', imageID: image.imageID }] };
  const metadata = { namespace: 'shop', name, uid: `${kind}-${name}` };
  const own =
    steps.length === 0 ? { status, metadata: { ...metadata, annotations } } : { metadata };
  return { group, kind, object: { ...body, ...own } };
}

/** The same with a controller. */
export function owned(child: ListedObject, owner: ListedObject): ListedObject {
  const { uid, name } = owner.object['metadata'] as { uid: string; name: string };
  const apiVersion = owner.group === '' ? 'v1' : `${owner.group}/v1`;
  return controlledBy(child, { apiVersion, kind: owner.kind, name, uid });
}

/** The same of a controller that is not listed. */
export function controlledBy(child: ListedObject, owner: object): ListedObject {
  return withMetadata(child, { ownerReferences: [{ controller: true, ...owner }] });
}

/** The same with more metadata. */
export function withMetadata({ object, ...of }: ListedObject, more: object): ListedObject {
  const metadata = { ...(object['metadata'] as object), ...more };
  return { ...of, object: { ...object, metadata } };
}

/** A Pod of a controller. */
export function podOf(owner: ListedObject, name: string, image: ListedImage): ListedObject {
  return owned(listed('/Pod', name, image), owner);
}
