import { readReference } from '../image/read-reference.ts';
import { isJsonObject, listOf, textOf } from '../json.ts';
import type { PodTemplate } from '../workload/locations.ts';
import { counts, type Originals } from '../workload/originals.ts';

/** Whose credentials an image is pulled with. */
export interface Account {
  readonly namespace: string;
  readonly pullSecrets: readonly string[];
  readonly serviceAccount: string | undefined;
}

/** What a person would call the owner of a Pod. */
export interface Workload {
  readonly namespace: string;
  readonly kind: string;
  readonly name: string;
}

/** One image in one place of one workload. */
export interface Use {
  readonly workload: Workload;
  /** As a message names it: `container "web"`. */
  readonly place: string;
  /** As it stands in the spec. */
  readonly image: string;
  /** The tag that was pinned, where that is known. */
  readonly original: string | undefined;
  /** Whether the workload's own spec has it, or Pods alone. */
  readonly inTemplate: boolean;
  /** How many Pods run it. */
  readonly pods: number;
  readonly account: Account;
}

/** Whose image it is, as `kubectl` names objects. */
export function workloadName({ workload: { namespace, kind, name } }: Use): string {
  return `${namespace}/${kind}/${name}`;
}

/** Of the Pods that a template makes. */
export function accountOf(namespace: string, { spec }: PodTemplate): Account {
  const pullSecrets = listOf(spec, 'imagePullSecrets')
    .filter(isJsonObject)
    .flatMap((secret) => textOf(secret, 'name') ?? []);
  return {
    namespace,
    pullSecrets,
    serviceAccount: textOf(spec, 'serviceAccountName') ?? 'default',
  };
}

/** By the record, or by the tag that stands beside the digest. */
export function originalOf(
  record: Originals | undefined,
  key: string,
  image: string,
): string | undefined {
  const entry = record?.entries.get(key);
  if (counts(entry, image)) return entry.reference;
  const reference = readReference(image);
  if (reference?.digest === undefined || reference.tag === undefined) return undefined;
  return image.slice(0, image.indexOf('@'));
}
