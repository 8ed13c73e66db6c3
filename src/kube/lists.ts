import type { ListedObject } from '../audit/inventory.ts';
import type { AuditedCluster } from '../audit/run.ts';
import { PinError } from '../errors.ts';
import {
  isJsonObject,
  type JsonObject,
  listOf,
  objectAt,
  objectIn,
  parseJson,
  textOf,
} from '../json.ts';
import {
  type Connected,
  connect,
  inTime,
  type Kubeconfig,
  type RequestOptions,
  type TakeBody,
} from './connection.ts';
import { answerTo, causeOf, statusOf } from './failed-request.ts';
import { readAtMost } from './limited-body.ts';

/** One page of a list. */
interface Page {
  readonly limit: number;
  /** Where the page before it ended; undefined for the first one. */
  readonly _continue?: string;
}

/** What is listed: of one namespace, or of all. */
interface ListedKind {
  readonly group: string;
  readonly kind: string;
  readonly plural: string;
  readonly list: (
    api: Connected,
    page: Page & { readonly namespace: string | undefined },
    options: RequestOptions,
  ) => Promise<unknown>;
}

function others(group: string, kind: string, plural: string): ListedKind {
  return {
    group,
    kind,
    plural,
    list: (api, { namespace, ...page }, options) => {
      const asked = { group, version: 'v1', plural, ...page };
      return namespace === undefined
        ? api.others.listClusterCustomObject(asked, options)
        : api.others.listNamespacedCustomObject({ ...asked, namespace }, options);
    },
  };
}

/** Owners before what they own, Pods last. */
const KINDS: readonly ListedKind[] = [
  others('apps', 'Deployment', 'deployments'),
  others('apps', 'StatefulSet', 'statefulsets'),
  others('apps', 'DaemonSet', 'daemonsets'),
  others('apps', 'ReplicaSet', 'replicasets'),
  others('batch', 'CronJob', 'cronjobs'),
  others('batch', 'Job', 'jobs'),
  {
    group: '',
    kind: 'ReplicationController',
    plural: 'replicationcontrollers',
    list: ({ core }, { namespace, ...page }, options) =>
      namespace === undefined
        ? core.listReplicationControllerForAllNamespaces(page, options)
        : core.listNamespacedReplicationController({ ...page, namespace }, options),
  },
  {
    group: '',
    kind: 'PodTemplate',
    plural: 'podtemplates',
    list: ({ core }, { namespace, ...page }, options) =>
      namespace === undefined
        ? core.listPodTemplateForAllNamespaces(page, options)
        : core.listNamespacedPodTemplate({ ...page, namespace }, options),
  },
  {
    group: '',
    kind: 'Pod',
    plural: 'pods',
    list: ({ core }, { namespace, ...page }, options) =>
      namespace === undefined
        ? core.listPodForAllNamespaces(page, options)
        : core.listNamespacedPod({ ...page, namespace }, options),
  },
];

/** What has to be listed of workloads, as a role names it. */
export const LISTED_RESOURCES: readonly string[] = KINDS.map(({ plural }) => plural);

const NODES: ListedKind = {
  group: '',
  kind: 'Node',
  plural: 'nodes',
  list: ({ core }, page, options) => core.listNode(page, options),
};

/** One page in memory after the other: of Pods, some 3 MB. */
const PAGE_OBJECTS = 250;
/** As many objects of 256 KiB as the API server may store. */
const MAX_PAGE_BYTES = 64 * 1024 * 1024;
const PAGE_TIME_MS = 30_000;

/**
 * The workloads of a cluster, as whoever the kubeconfig says may list them.
 *
 * @param kubeconfig undefined: the ServiceAccount of the Pod that this runs in
 * @param namespace undefined: all of them
 */
export function createLists(
  kubeconfig: Kubeconfig | undefined,
  namespace: string | undefined,
): AuditedCluster {
  let api: Promise<Connected> | undefined;
  const connected = (): Promise<Connected> => (api ??= connect(kubeconfig, 'name a kubeconfig'));
  return {
    objects: async function* listObjects() {
      for (const kind of KINDS) {
        try {
          yield* objectsOf(await connected(), kind, namespace);
        } catch (caught) {
          throw unlisted(kind, namespace, caught);
        }
      }
    },
    platforms: async () => {
      const platforms = new Set<string>();
      try {
        for await (const { object } of objectsOf(await connected(), NODES, undefined)) {
          const info = objectAt(object, ['status', 'nodeInfo']);
          platforms.add(`${textOf(info, 'operatingSystem')}/${textOf(info, 'architecture')}`);
        }
      } catch (caught) {
        // Whoever may see the workloads of a namespace need not see nodes.
        if (statusOf(caught) === 403) return undefined;
        throw unlisted(NODES, undefined, caught);
      }
      return platforms;
    },
  };
}

async function* objectsOf(
  api: Connected,
  kind: ListedKind,
  namespace: string | undefined,
): AsyncGenerator<ListedObject> {
  let next: string | undefined;
  do {
    const page = { limit: PAGE_OBJECTS, ...(next !== undefined && { _continue: next }), namespace };
    // oxlint-disable-next-line no-await-in-loop -- a page tells where the next one begins
    const list = await pageOf(api, kind, page);
    for (const object of listOf(list, 'items')) {
      if (isJsonObject(object)) yield { group: kind.group, kind: kind.kind, object };
    }
    next = textOf(objectIn(list, 'metadata'), 'continue') || undefined;
  } while (next !== undefined);
}

async function pageOf(
  api: Connected,
  { list }: ListedKind,
  page: Page & { readonly namespace: string | undefined },
): Promise<JsonObject> {
  let text = '';
  const take: TakeBody = async (body) => {
    text = await readAtMost(body, MAX_PAGE_BYTES);
  };
  await inTime(PAGE_TIME_MS, (signal) => list(api, page, api.endedBy(signal, take)));
  const answer = parseJson(text);
  if (isJsonObject(answer)) return answer;
  throw new Error('what it answered is no list');
}

function unlisted(
  { plural }: ListedKind,
  namespace: string | undefined,
  caught: unknown,
): PinError {
  if (caught instanceof PinError) return caught;
  const where = namespace === undefined ? 'of all namespaces' : `of namespace "${namespace}"`;
  const what = `Cannot list the ${plural} ${where}`;
  const message = `${what}: the API server ${answerTo(caught)}`;
  return new PinError('cluster_unreadable', message, causeOf(caught));
}
