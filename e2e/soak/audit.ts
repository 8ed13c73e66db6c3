import { createReadStream } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { createInterface } from 'node:readline';

import type { AuditEvent } from '../support/audit-event.ts';

const LOG = 'soak-audit.jsonl';
const REPLICA_SETS = 'system:serviceaccount:kube-system:replicaset-controller';
/** k8s.io/apiserver, pkg/admission/plugin/webhook/mutating/dispatcher.go. */
const FAILED_OPEN = 'failed-open.mutation.webhook.admission.k8s.io/';

/** Flags that have the API server write down what became of Pods and Deployments. */
export async function soakAuditFlags(directory: string): Promise<readonly string[]> {
  const verbs = ['create', 'update', 'patch'];
  const policy = {
    apiVersion: 'audit.k8s.io/v1',
    kind: 'Policy',
    omitStages: ['RequestReceived'],
    omitManagedFields: true,
    rules: [
      {
        level: 'RequestResponse',
        users: [REPLICA_SETS],
        verbs: ['create'],
        resources: [{ group: '', resources: ['pods'] }],
      },
      {
        level: 'Metadata',
        verbs,
        resources: [
          { group: '', resources: ['pods', 'pods/ephemeralcontainers', 'replicationcontrollers'] },
          { group: 'apps', resources: ['deployments', 'replicasets'] },
        ],
      },
      { level: 'None' },
    ],
  };
  const file = join(directory, 'soak-audit-policy.yaml');
  await writeFile(file, JSON.stringify(policy));
  return [
    `--audit-policy-file=${file}`,
    `--audit-log-path=${join(directory, LOG)}`,
    // In one file.
    '--audit-log-maxsize=8192',
  ];
}

/** Of requests that began since, in the order in which they ended. A line that a killed server left unfinished is left out. */
export async function* auditEvents(directory: string, sinceMs: number): AsyncGenerator<AuditEvent> {
  for await (const line of createInterface({ input: createReadStream(join(directory, LOG)) })) {
    const event = eventOf(line);
    if (event === undefined || Date.parse(event.requestReceivedTimestamp) < sinceMs) continue;
    yield event;
  }
}

function eventOf(line: string): AuditEvent | undefined {
  try {
    return JSON.parse(line) as AuditEvent;
  } catch {
    return undefined;
  }
}

/** How many calls of webhooks got no answer, and were passed over. */
export function failedOpen({ annotations = {} }: AuditEvent): number {
  return Object.keys(annotations).filter((key) => key.startsWith(FAILED_OPEN)).length;
}

/** Whether a ReplicaSet made a Pod, of which request and answer are there. */
export function isOfReplicaSet({ user, objectRef, responseObject }: AuditEvent): boolean {
  return (
    user.username === REPLICA_SETS &&
    objectRef.resource === 'pods' &&
    objectRef.subresource === undefined &&
    responseObject !== undefined
  );
}
