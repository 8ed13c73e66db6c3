import { objectIn, textOf } from '../json.ts';
import type { OwnedPod } from './owner.ts';
import type { Revision } from './ports.ts';

/**
 * The labels by which controllers tell the Pods of one template from those of another: Deployments,
 * StatefulSets and DaemonSets, and Argo's Rollouts.
 */
const REVISION_LABELS = [
  'pod-template-hash',
  'controller-revision-hash',
  'rollouts-pod-template-hash',
] as const;

/** A Job has one template for its life; its Pods carry its uid (since Kubernetes 1.27, and before). */
const JOB_LABELS = ['batch.kubernetes.io/controller-uid', 'controller-uid'] as const;

/** A label's value, as Kubernetes has them; a review comes before they are validated. */
const LABEL_VALUE = /^[A-Za-z0-9](?:[-A-Za-z0-9_.]{0,61}[A-Za-z0-9])?$/;

/** Whose replica a Pod is, or undefined for one that shares its template with no other for sure. */
export function revisionOf({ namespace, owner, metadata }: OwnedPod): Revision | undefined {
  const { uid } = owner;
  const labels = objectIn(metadata, 'labels');
  const selectorOf = (names: readonly string[]): string | undefined => {
    for (const name of names) {
      const value = textOf(labels, name);
      if (value !== undefined && LABEL_VALUE.test(value)) return `${name}=${value}`;
    }
    return undefined;
  };
  if (owner.group === 'batch' && owner.kind === 'Job') {
    return { namespace, ownerUid: uid, selector: selectorOf(JOB_LABELS) };
  }
  const selector = selectorOf(REVISION_LABELS);
  return selector === undefined ? undefined : { namespace, ownerUid: uid, selector };
}
