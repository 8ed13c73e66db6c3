import { isJsonObject, type JsonObject, listOf, objectAt, textOf } from '../json.ts';
import type { AskApiServer } from './api-server.ts';

/** What a replica answered by way of the API server. */
export interface ReplicaAnswer {
  readonly pod: string;
  /** How far its clock is before that of this machine, in milliseconds; undefined where it did not answer. */
  readonly aheadMs: number | undefined;
  /** The right that whoever asks lacks. */
  readonly right?: string | undefined;
}

const MAX_REPLICAS = 10;
const FORBIDDEN = 403;

/** Asks the ready replicas for their time: the `Date` of an answer comes from whoever gave it. */
export async function askReplicas(
  ask: AskApiServer,
  pods: readonly JsonObject[],
): Promise<readonly ReplicaAnswer[]> {
  const ready = pods.filter(isReady).slice(0, MAX_REPLICAS);
  return Promise.all(
    ready.map(async (found): Promise<ReplicaAnswer> => {
      const metadata = objectAt(found, ['metadata']);
      const pod = textOf(metadata, 'name') ?? '';
      const namespace = textOf(metadata, 'namespace') ?? '';
      const path = `/api/v1/namespaces/${namespace}/pods/${pod}:${portOf(found)}/proxy/healthz`;
      const started = Date.now();
      const { status, dateMs } = await ask({ method: 'GET', path });
      if (status === FORBIDDEN) {
        return { pod, aheadMs: undefined, right: `get pods/proxy --namespace ${namespace}` };
      }
      const localMs = (started + Date.now()) / 2;
      // What the API server says of a Pod that it cannot reach has a time of its own.
      const isTheirs = status === 200 && dateMs !== undefined;
      return { pod, aheadMs: isTheirs ? dateMs - localMs : undefined };
    }),
  );
}

/** Whether a Pod says that it is ready. */
export function isReady(pod: JsonObject): boolean {
  const conditions = listOf(objectAt(pod, ['status']) ?? {}, 'conditions').filter(isJsonObject);
  return conditions.some(({ type, status }) => type === 'Ready' && status === 'True');
}

const OPERATIONS_PORT = 9090;

function portOf(pod: JsonObject): number {
  const containers = listOf(objectAt(pod, ['spec']) ?? {}, 'containers').filter(isJsonObject);
  const ports = containers.flatMap((container) => listOf(container, 'ports')).filter(isJsonObject);
  const port = ports.find(({ name }) => name === 'operations')?.['containerPort'];
  return typeof port === 'number' ? port : OPERATIONS_PORT;
}
