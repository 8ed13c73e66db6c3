import { PinError } from '../errors.ts';
import { isJsonObject, type JsonObject, listOf, objectAt, parseJson, textOf } from '../json.ts';
import type { OnboardedCluster } from '../onboard/cluster.ts';
import type { OwnerReference } from '../onboard/owner-reference.ts';
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
import { createLists } from './lists.ts';
import { isName } from './object-name.ts';

const READ_TIME_MS = 10_000;
/** The API server stores at most about 1.5 MB of one; a group may have many kinds. */
const MAX_BYTES = 8 * 1024 * 1024;
/** As Kubernetes has versions of a group: `v1beta1`. */
const VERSION = /^[a-z][a-z0-9]{0,62}$/;

/** One namespace, as whoever the kubeconfig says may see it. Reads, and nothing else. */
export function createOnboardedCluster(
  kubeconfig: Kubeconfig,
  namespace: string,
): OnboardedCluster {
  let api: Promise<Connected> | undefined;
  const connected = (): Promise<Connected> => (api ??= connect(kubeconfig, 'name a kubeconfig'));
  const plurals = new Map<string, Promise<ReadonlyMap<string, string>>>();
  const pluralOf = async (asked: Kind): Promise<string | undefined> => {
    const key = `${asked.group}/${asked.version}`;
    const known = plurals.get(key) ?? pluralsIn(await connected(), asked);
    plurals.set(key, known);
    return (await known).get(asked.kind);
  };
  return {
    labels: async () => labelsOf(await connected(), namespace),
    objects: createLists(kubeconfig, namespace).objects,
    owner: async (reference) => {
      const kind = kindOf(reference);
      const { name } = reference;
      if (kind === undefined || !isName(name)) return undefined;
      const what = `${kind.kind} "${namespace}/${name}"`;
      try {
        const plural = await pluralOf(kind);
        if (plural === undefined) return undefined;
        const { group, version } = kind;
        const asked = { group, version, plural, namespace, name };
        return await read(await connected(), ({ others }, options) =>
          others.getNamespacedCustomObject(asked, options),
        );
      } catch (caught) {
        return missingOr(what, caught);
      }
    },
  };
}

interface Kind {
  readonly group: string;
  readonly version: string;
  readonly kind: string;
}

/** Undefined for the core group too, whose controllers are built in, or make nothing but mirror Pods. */
function kindOf({ apiVersion, kind }: OwnerReference): Kind | undefined {
  const [group = '', version = '', ...more] = apiVersion.split('/');
  if (!isName(group) || !VERSION.test(version) || more.length > 0) return undefined;
  return { group, version, kind };
}

/** The names under which kinds of a namespace are asked for. */
async function pluralsIn(api: Connected, asked: Kind): Promise<ReadonlyMap<string, string>> {
  const { group, version } = asked;
  const list = await read(api, ({ others }, options) =>
    others.getAPIResources({ group, version }, options),
  );
  return new Map(
    listOf(list, 'resources')
      .filter(isJsonObject)
      .flatMap((resource): [string, string][] => {
        const [kind, plural] = [textOf(resource, 'kind'), textOf(resource, 'name')];
        // With a slash it is a subresource.
        const isKind = resource['namespaced'] === true && plural !== undefined && isName(plural);
        return kind !== undefined && isKind ? [[kind, plural]] : [];
      }),
  );
}

async function labelsOf(api: Connected, namespace: string): Promise<JsonObject | undefined> {
  const what = `namespace "${namespace}"`;
  if (!isName(namespace)) throw new PinError('invalid_config', `There is no ${what}`);
  try {
    const object = await read(api, ({ core }, options) =>
      core.readNamespace({ name: namespace }, options),
    );
    return objectAt(object, ['metadata', 'labels']) ?? {};
  } catch (caught) {
    // Whoever may see the workloads of a namespace need not see itself.
    if (statusOf(caught) === 403) return undefined;
    missingOr(what, caught);
    throw new PinError('invalid_config', `There is no ${what}`);
  }
}

async function read(
  api: Connected,
  act: (api: Connected, options: RequestOptions) => Promise<unknown>,
): Promise<JsonObject> {
  let text = '';
  const take: TakeBody = async (body) => {
    text = await readAtMost(body, MAX_BYTES);
  };
  await inTime(READ_TIME_MS, (signal) => act(api, api.endedBy(signal, take)));
  const answer = parseJson(text);
  if (isJsonObject(answer)) return answer;
  throw new Error('what it answered is no object');
}

/** Undefined where there is no such object. */
function missingOr(what: string, caught: unknown): undefined {
  if (caught instanceof PinError) throw caught;
  if (statusOf(caught) === 404) return undefined;
  const message = `Cannot read ${what}: the API server ${answerTo(caught)}`;
  throw new PinError('cluster_unreadable', message, causeOf(caught));
}
