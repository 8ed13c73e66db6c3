import { objectAt, textOf } from '../json.ts';
import {
  REFRESH_ANNOTATION,
  REFRESH_POLICY_ANNOTATION,
  SKIP_ANNOTATION,
} from '../workload/annotations.ts';
import type { Location } from '../workload/locations.ts';
import { unknownRefreshPolicy } from './refresh.ts';
import type { Review } from './review.ts';
import type { Subject } from './subject.ts';
import { WARNINGS } from './wording.ts';

/** They stand beside the pod spec, where `kubectl annotate` of a workload does not put them. */
const TEMPLATE_ANNOTATIONS = [REFRESH_ANNOTATION, REFRESH_POLICY_ANNOTATION, SKIP_ANNOTATION];

/** What may stand between single quotes in a shell, and in JSON, as it is. */
const PLAIN_VALUE = /^[\w.:,-]{1,40}$/;

/** The name of an object, as it may be repeated: a review comes before names are validated. */
const NAME = /^[a-z0-9](?:[-a-z0-9.]{0,251}[a-z0-9])?$/;

/** Warnings of annotations that have no effect where, or as, they were written just now. */
export function misplacedWarnings(review: Review, subject: Subject): string[] {
  const { where, now } = subject;
  const unknown = unknownRefreshPolicy(now);
  const policy =
    unknown === undefined || !subject.templateChanged ? [] : [WARNINGS.unknownPolicy()];
  // A Pod is its own template.
  if (where.isPod) return policy;
  const own = objectAt(review.object, ['metadata', 'annotations']);
  if (own === undefined) return policy;
  const stored = objectAt(review.oldObject, ['metadata', 'annotations']);
  const misplaced = TEMPLATE_ANNOTATIONS.flatMap((name) => {
    const value = textOf(own, name);
    return value === undefined || value === textOf(stored, name) ? [] : [{ name, value }];
  });
  return [
    ...policy,
    ...misplaced.flatMap((annotation) => whereItBelongs(review, where, annotation)),
  ];
}

function whereItBelongs(
  { name, namespace, group, kind }: Review,
  { template }: Location,
  annotation: { readonly name: string; readonly value: string },
): string[] {
  const value = PLAIN_VALUE.test(annotation.value) ? annotation.value : 'VALUE';
  const annotations = { annotations: { [annotation.name]: value } };
  const patch = template.reduceRight<object>((inner, step) => ({ [step]: inner }), {
    metadata: annotations,
  });
  const object = NAME.test(name) ? name : 'NAME';
  // Another's Service is not that of Kubernetes.
  const type = group.includes('.') ? `${kind.toLowerCase()}.${group}` : kind.toLowerCase();
  const command = `kubectl patch ${type} ${object} -n ${namespace} --type merge`;
  return [WARNINGS.misplaced(annotation.name, kind), `${command} -p '${JSON.stringify(patch)}'`];
}
