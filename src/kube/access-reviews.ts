import { PinError } from '../errors.ts';
import type { Caller } from '../explain/asked.ts';
import { objectIn } from '../json.ts';
import { type Connected, connect, inTime, type Kubeconfig } from './connection.ts';
import { answerTo, causeOf } from './failed-request.ts';

/** What somebody may do to objects of a kind (`resourceAttributes` of a SubjectAccessReview). */
interface Right {
  readonly verb: string;
  readonly group: string;
  readonly resource: string;
}

const ANSWER_TIME_MS = 3000;

/**
 * Asks the API server, each time anew, whether somebody has a right in a namespace, by a
 * SubjectAccessReview. Rejects with PinError `cluster_unreadable`.
 *
 * @param kubeconfig undefined: the ServiceAccount of the Pod that this runs in
 */
export function createAccessReviews(
  kubeconfig: Kubeconfig | undefined,
  right: Right,
): (caller: Caller, namespace: string) => Promise<boolean> {
  let api: Promise<Connected> | undefined;
  return async ({ username, uid, groups, extra }, namespace) => {
    api ??= connect(kubeconfig, '--no-cluster does without');
    const { others, endedBy } = await api;
    const body = {
      apiVersion: 'authorization.k8s.io/v1',
      kind: 'SubjectAccessReview',
      spec: {
        user: username,
        ...(uid !== undefined && { uid }),
        groups,
        extra,
        resourceAttributes: { namespace, ...right },
      },
    };
    const what = { group: 'authorization.k8s.io', version: 'v1', plural: 'subjectaccessreviews' };
    try {
      const answer: unknown = await inTime(ANSWER_TIME_MS, (signal) =>
        others.createClusterCustomObject({ ...what, body }, endedBy(signal)),
      );
      const status = objectIn(answer, 'status');
      return status?.['allowed'] === true && status['denied'] !== true;
    } catch (caught) {
      const message = `the API server ${answerTo(caught)} when asked who may ${right.verb} ${right.resource}.${right.group}`;
      throw new PinError('cluster_unreadable', message, causeOf(caught));
    }
  };
}
