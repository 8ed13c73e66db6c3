import { createReadStream } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { createInterface } from 'node:readline';

import type { AuditEvent } from './audit-event.ts';
import { textOfRight } from './rights.ts';

const WORKLOADS: Readonly<Record<string, readonly string[]>> = {
  pods: [''],
  podtemplates: [''],
  replicationcontrollers: [''],
  deployments: ['apps'],
  replicasets: ['apps'],
  statefulsets: ['apps'],
  daemonsets: ['apps'],
  jobs: ['batch'],
  cronjobs: ['batch'],
};

const LOG = 'kube-apiserver-audit.jsonl';
const TAGPIN = 'system:serviceaccount:tagpin-system:tagpin';

/** Flags that have the API server write down, in this directory, whatever is done to workloads. */
export async function auditFlags(directory: string): Promise<readonly string[]> {
  const policy = {
    apiVersion: 'audit.k8s.io/v1',
    kind: 'Policy',
    omitStages: ['RequestReceived'],
    rules: [
      // What tagpin itself asks for, which its rights are held against.
      { level: 'Metadata', users: [TAGPIN] },
      {
        level: 'RequestResponse',
        verbs: ['create', 'update', 'patch', 'delete'],
        resources: Object.entries(WORKLOADS).map(([resource, [group]]) => ({
          group,
          resources: [resource, `${resource}/*`],
        })),
      },
      { level: 'None' },
    ],
  };
  const file = join(directory, 'audit-policy.yaml');
  await writeFile(file, JSON.stringify(policy));
  return [`--audit-policy-file=${file}`, `--audit-log-path=${join(directory, LOG)}`];
}

/** In the order in which the requests ended. */
export async function* auditEvents(directory: string): AsyncGenerator<AuditEvent> {
  for await (const line of createInterface({ input: createReadStream(join(directory, LOG)) })) {
    yield JSON.parse(line) as AuditEvent;
  }
}

/** What tagpin asked the API server for: `get secrets`, each once, and in the order of the alphabet. */
export async function requestsOfTagpin(directory: string): Promise<readonly string[]> {
  const requests = new Set<string>();
  for await (const event of auditEvents(directory)) {
    if (isOfTagpin(event)) requests.add(rightOf(event));
  }
  return [...requests].toSorted();
}

export function isOfTagpin({ user }: AuditEvent): boolean {
  return user.username === TAGPIN;
}

/** What a request needs: `get secrets`. */
export function rightOf({ verb, objectRef }: AuditEvent): string {
  if (objectRef === undefined) return `${verb} of no resource`;
  const { apiGroup: group = '', subresource, name: asked = '' } = objectRef;
  const resource = `${objectRef.resource}${subresource === undefined ? '' : `/${subresource}`}`;
  // The two that rights are bound to by name, which cannot be for what is not there yet.
  const isNamed = verb !== 'create' && (asked === 'tagpin' || asked === 'tagpin-certificates');
  return textOfRight({ verb, group, resource, name: isNamed ? asked : '' });
}
