import { hostname } from 'node:os';

import { PinError } from '../errors.ts';
import type { NotPinnedEvent } from '../events/not-pinned.ts';
import { type Connected, connect, inTime, type Kubeconfig } from './connection.ts';
import { answerTo, causeOf } from './failed-request.ts';
import { isName } from './object-name.ts';

/** Nobody waits for an Event. */
const WRITE_TIMEOUT_MS = 5000;
const REASON = 'ImageNotPinned';

/**
 * Writes Events into the namespace that they are about. Throws PinError `cluster_unreadable`.
 *
 * @param kubeconfig undefined: the ServiceAccount of the Pod that this runs in
 */
export function createEventWriter(
  kubeconfig: Kubeconfig | undefined,
): (event: NotPinnedEvent) => Promise<void> {
  let api: Promise<Connected> | undefined;
  return async (event) => {
    api ??= connect(kubeconfig, '--no-cluster does without');
    const { core, endedBy } = await api;
    const { namespace } = event;
    // It becomes a part of a path.
    if (!isName(namespace)) throw new PinError('cluster_unreadable', 'a review names no namespace');
    try {
      await inTime(WRITE_TIMEOUT_MS, (signal) =>
        core.createNamespacedEvent({ namespace, body: bodyOf(event) }, endedBy(signal)),
      );
    } catch (caught) {
      const message = `the API server ${answerTo(caught)} to an Event for namespace "${namespace}"`;
      throw new PinError('cluster_unreadable', message, causeOf(caught));
    }
  };
}

function bodyOf({ namespace, regarding, message }: NotPinnedEvent) {
  const { kind, name, uid } = regarding;
  const at = new Date();
  return {
    metadata: { generateName: 'tagpin-', namespace },
    involvedObject: { kind, name, namespace, ...(uid !== undefined && { uid }) },
    type: 'Warning',
    reason: REASON,
    message,
    source: { component: 'tagpin' },
    reportingComponent: 'tagpin.dev/webhook',
    reportingInstance: hostname(),
    firstTimestamp: at,
    lastTimestamp: at,
    count: 1,
  };
}
