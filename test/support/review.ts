import { decodeReview, type Review } from '../../src/admission/review.ts';

export type Json = Record<string, unknown>;

/** One kind that holds a pod template, written down here a second time, apart from the source. */
export interface Kind {
  readonly kind: string;
  readonly group: string;
  readonly template: readonly string[];
}

export const POD: Kind = { kind: 'Pod', group: '', template: [] };
export const DEPLOYMENT: Kind = {
  kind: 'Deployment',
  group: 'apps',
  template: ['spec', 'template'],
};
export const JOB: Kind = { kind: 'Job', group: 'batch', template: ['spec', 'template'] };

/** Kinds whose template may change, and whose change starts a rollout or the next run. */
export const ROLLING: readonly Kind[] = [
  { kind: 'PodTemplate', group: '', template: ['template'] },
  { kind: 'ReplicationController', group: '', template: ['spec', 'template'] },
  DEPLOYMENT,
  { kind: 'StatefulSet', group: 'apps', template: ['spec', 'template'] },
  { kind: 'DaemonSet', group: 'apps', template: ['spec', 'template'] },
  { kind: 'ReplicaSet', group: 'apps', template: ['spec', 'template'] },
  { kind: 'CronJob', group: 'batch', template: ['spec', 'jobTemplate', 'spec', 'template'] },
];
export const WORKLOADS: readonly Kind[] = [...ROLLING, JOB];
export const KINDS: readonly Kind[] = [POD, ...WORKLOADS];

/** What an object of any kind is made of: its own metadata, and its pod template. */
export interface ObjectParts {
  readonly metadata?: Json;
  readonly annotations?: Json;
  readonly spec: Json;
}

/** An object of a kind; a Pod's template annotations are its own. */
export function objectOf(kind: Kind, { metadata, annotations, spec }: ObjectParts): Json {
  const own = { name: 'web', ...metadata };
  const marks = annotations === undefined ? {} : { annotations };
  if (kind.template.length === 0) return { metadata: { ...own, ...marks }, spec };
  let inner: Json = { metadata: { labels: { app: 'web' }, ...marks }, spec };
  for (const step of kind.template.toReversed()) inner = { [step]: inner };
  return { metadata: own, ...inner };
}

/** The pod template inside an object: `metadata` and `spec`. */
export function templateOf(kind: Kind, object: unknown): { metadata?: Json; spec: Json } {
  let here = object;
  for (const step of kind.template) here = (here as Json)[step];
  return here as { metadata?: Json; spec: Json };
}

export function annotationsOf(kind: Kind, object: unknown): Json {
  return (templateOf(kind, object).metadata?.['annotations'] ?? {}) as Json;
}

/** One list of a pod spec that holds images. */
export interface ImageList {
  readonly list: string;
  /** What stands before the name in the record and in messages. */
  readonly keyPrefix: string;
  readonly noun: string;
  readonly item: (name: string, image: unknown, more?: Json) => Json;
  readonly imageOf: (item: Json) => unknown;
}

function containerList(list: string, noun: string): ImageList {
  return {
    list,
    noun,
    keyPrefix: '',
    item: (name, image, more = {}) => ({ name, image, ...more }),
    imageOf: ({ image }) => image,
  };
}

export const CONTAINERS: ImageList = containerList('containers', 'container');
export const INIT_CONTAINERS: ImageList = containerList('initContainers', 'init container');
export const EPHEMERAL: ImageList = containerList('ephemeralContainers', 'ephemeral container');
export const VOLUMES: ImageList = {
  list: 'volumes',
  noun: 'image volume',
  keyPrefix: 'volume/',
  item: (name, reference, { imagePullPolicy, ...more } = {}) => ({
    name,
    image: { reference, ...(imagePullPolicy !== undefined && { pullPolicy: imagePullPolicy }) },
    ...more,
  }),
  imageOf: ({ image }) => (image as Json | undefined)?.['reference'],
};
/** The lists that the record holds; an ephemeral container's annotation is dropped. */
export const RECORDED_LISTS: readonly ImageList[] = [CONTAINERS, INIT_CONTAINERS, VOLUMES];

/** A pod spec with one list of images by name. */
export function specOf(
  images: Readonly<Record<string, unknown>>,
  list: ImageList = CONTAINERS,
): Json {
  return { [list.list]: Object.entries(images).map(([name, image]) => list.item(name, image)) };
}

/** The images of an object by name, as they stand in one of its lists. */
export function imagesOf(kind: Kind, object: unknown, list: ImageList = CONTAINERS): Json {
  const items = (templateOf(kind, object).spec[list.list] ?? []) as Json[];
  return Object.fromEntries(items.map((item) => [item['name'], list.imageOf(item)]));
}

export interface RequestParts {
  readonly object?: unknown;
  /** With one the operation is UPDATE, without one CREATE. */
  readonly oldObject?: unknown;
  readonly more?: Json;
}

/** The body that the API server posts. */
export function reviewBody(kind: Kind, { object, oldObject, more }: RequestParts): Json {
  return {
    apiVersion: 'admission.k8s.io/v1',
    kind: 'AdmissionReview',
    request: {
      uid: '705ab4f5-6393-11e8-b7cc-42010a800002',
      kind: { group: kind.group, version: 'v1', kind: kind.kind },
      operation: oldObject === undefined ? 'CREATE' : 'UPDATE',
      namespace: 'shop',
      name: 'web',
      object,
      oldObject,
      ...more,
    },
  };
}

/** The same, through bytes and decodeReview(), as the server hands it on. */
export function reviewOf(kind: Kind, parts: RequestParts): Review {
  return decodeReview(JSON.parse(JSON.stringify(reviewBody(kind, parts))));
}
