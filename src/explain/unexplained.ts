import { isJsonObject, type JsonObject, listOf, objectAt, objectIn, textOf } from '../json.ts';
import {
  EXPLAIN_ANNOTATION,
  MODE_LABEL,
  ORIGINALS_ANNOTATION,
  UNPINNED_ANNOTATION,
} from '../workload/annotations.ts';
import type { Refused } from './document.ts';
import { EXPLAINED_CONTAINER } from './dry-run-pod.ts';

/** What the API server answered to a dry run. */
export interface DryRunAnswer {
  readonly status: number;
  /** Of a refusal. */
  readonly message: string | undefined;
  readonly value: unknown;
  readonly warnings: readonly string[];
}

/** A dry run that came back without an explanation, and what is known of it. */
interface Unexplained {
  readonly answer: DryRunAnswer;
  readonly image: string;
  readonly namespace: string;
  /** Of the namespace; undefined where they may not be read, or do not matter. */
  readonly labels: JsonObject | undefined;
}

interface Row {
  readonly reason: string;
  readonly holds: (asked: Unexplained) => boolean;
  readonly message: (asked: Unexplained) => string;
  readonly advice: (asked: Unexplained) => string;
}

const OPERATOR =
  'ask the operator of tagpin to start it with --explain-in-dry-run: component explain, or the value explainInDryRun of the chart';

/** The first that holds says why. */
const ROWS: readonly Row[] = [
  {
    reason: 'explains_nothing',
    holds: ({ answer }) => answer.warnings.some((one) => one.startsWith(`${EXPLAIN_ANNOTATION}:`)),
    message: () => 'the webhook runs without --explain-in-dry-run',
    advice: () => OPERATOR,
  },
  {
    reason: 'unauthenticated',
    holds: ({ answer }) => answer.status === 401,
    message: ({ answer }) => `the API server does not know you: ${answer.message ?? 'it says 401'}`,
    advice: () => 'log in to the cluster, or name another --context',
  },
  {
    reason: 'may_not_create_pods',
    holds: ({ answer }) =>
      answer.status === 403 && /cannot create resource "pods"/.test(answer.message ?? ''),
    message: ({ answer, namespace }) =>
      `you may not create Pods in namespace ${JSON.stringify(namespace)}, which a dry run takes, though it makes none: ${answer.message}`,
    advice: ({ namespace }) =>
      `ask for this: kubectl create rolebinding edit --namespace ${namespace} --clusterrole edit --user USER`,
  },
  {
    reason: 'older_webhook',
    holds: ({ answer }) =>
      /admission webhook "[^"]*\.tagpin\.dev" denied/.test(answer.message ?? ''),
    message: ({ answer }) =>
      `the webhook explains nothing, as it is an older one: ${answer.message}`,
    advice: () => 'ask the operator of tagpin for a newer version',
  },
  {
    reason: 'not_opted_in',
    holds: ({ labels }) => labels !== undefined && textOf(labels, MODE_LABEL) === undefined,
    message: ({ namespace }) =>
      `the webhook is not called for namespace ${JSON.stringify(namespace)}, which has no label ${MODE_LABEL}`,
    advice: ({ namespace }) =>
      `see what that would change, then label it: tagpin onboard ${namespace}; kubectl label namespace ${namespace} ${MODE_LABEL}=pin`,
  },
  {
    reason: 'refused',
    holds: ({ answer }) => answer.status >= 300,
    message: ({ answer }) =>
      `somebody else refused the Pod of the dry run: ${answer.message ?? `it was answered ${answer.status}`}`,
    advice: () => 'a Pod of this namespace may be refused for the same reason: mend that first',
  },
  {
    reason: 'older_webhook',
    holds: wasCalled,
    message: () => 'the webhook was called and explains nothing, as it is an older one',
    advice: () => 'ask the operator of tagpin for a newer version',
  },
  {
    reason: 'not_called',
    holds: () => true,
    message: ({ namespace }) =>
      `no webhook of tagpin answered for namespace ${JSON.stringify(namespace)}: it was not called, or failed, or is an older one that had nothing to change`,
    advice: () => 'see whether it is registered, answers, and is called: tagpin doctor',
  },
];

/** Why there is no explanation in what came back, and what to do. */
export function whyUnexplained(asked: Unexplained): Refused {
  const row = ROWS.find(({ holds }) => holds(asked));
  if (row === undefined) throw new Error('no row holds');
  return { reason: row.reason, message: row.message(asked), advice: row.advice(asked) };
}

/** Whether the Pod that came back bears a mark of tagpin's. */
function wasCalled({ answer, image }: Unexplained): boolean {
  const annotations = objectAt(answer.value, ['metadata', 'annotations']) ?? {};
  if (ORIGINALS_ANNOTATION in annotations || UNPINNED_ANNOTATION in annotations) return true;
  const containers = listOf(objectIn(answer.value, 'spec') ?? {}, 'containers');
  const ours = containers
    .filter(isJsonObject)
    .find((one) => textOf(one, 'name') === EXPLAINED_CONTAINER);
  return ours !== undefined && textOf(ours, 'image') !== image;
}
