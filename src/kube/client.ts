import type { SecretReader } from '../credentials/read-secrets.ts';
import { createTurns } from '../credentials/turns.ts';
import { PinError } from '../errors.ts';
import { isJsonObject, listOf, parseJson } from '../json.ts';
import {
  type Connected,
  connect,
  EMPTY_LIST,
  inTime,
  type Kubeconfig,
  type RequestOptions,
  type TakeBody,
} from './connection.ts';
import { answerTo, causeOf, statusOf } from './failed-request.ts';
import { readAtMost } from './limited-body.ts';
import { isName } from './object-name.ts';

/** Whose credentials a Pod has its images pulled with. */
interface PodAccount {
  /** The names of its `imagePullSecrets`. */
  readonly pullSecrets: readonly string[];
  readonly serviceAccount: string;
}

/** Reads Secrets and ServiceAccounts. Until `load` has ended, reading waits for it. */
export interface ClusterReader extends SecretReader {
  /** Undefined where there is none. Throws PinError `forbidden_secret` or `secret_unreadable`. */
  readonly readPod: (namespace: string, name: string) => Promise<PodAccount | undefined>;
  /**
   * The first Pods that a label selector names, as the API server sent them.
   *
   * @throws PinError `forbidden_secret` or `secret_unreadable`
   */
  readonly listPods: (namespace: string, selector: string) => Promise<readonly unknown[]>;
  /**
   * Imports the client library, which takes half a second: right after listening, never inside a
   * review. Throws `invalid_config` where there is no way to reach an API server.
   */
  readonly load: () => Promise<void>;
}

/** What a list of Pods may be: a tenant chooses how many there are, and how large they are. */
const MAX_LISTED_PODS = 100;
const MAX_LIST_BYTES = 4 * 1024 * 1024;
/** As many as the API server need hear of tagpin at once; one namespace does not take them all. */
const READS_AT_A_TIME = { inAll: 32, each: 8 };

/**
 * @param kubeconfig undefined: the ServiceAccount of the Pod that this runs in
 * @param otherwise what does without a cluster, for the message where it cannot be reached
 */
export function createClusterReader(
  kubeconfig: Kubeconfig | undefined,
  otherwise: string,
): ClusterReader {
  let api: Promise<Connected> | undefined;
  const connected = (): Promise<Connected> => (api ??= connect(kubeconfig, otherwise));
  const inTurn = createTurns(READS_AT_A_TIME);
  const read = async <T>(asked: Asked, act: Act<T>): Promise<T | undefined> => {
    const { core, endedBy } = await connected();
    // How long it waits for its turn is the review's to bound.
    return found(asked, () =>
      inTurn({ whose: asked.namespace }, () =>
        inTime(READ_TIMEOUT_MS, (signal) => act(core, (take) => endedBy(signal, take))),
      ),
    );
  };
  return {
    load: async () => {
      await connected();
    },
    readSecret: (namespace, name) =>
      read({ kind: 'secrets', namespace, name }, (core, options) =>
        core.readNamespacedSecret({ namespace, name }, options()),
      ),
    readPullSecretNames: async (namespace, serviceAccount) => {
      const account = await read(
        { kind: 'serviceaccounts', namespace, name: serviceAccount },
        (core, options) =>
          core.readNamespacedServiceAccount({ namespace, name: serviceAccount }, options()),
      );
      return account && (account.imagePullSecrets ?? []).flatMap(({ name }) => name ?? []);
    },
    readPod: async (namespace, name) => {
      const pod = await read({ kind: 'pods', namespace, name }, (core, options) =>
        core.readNamespacedPod({ namespace, name }, options()),
      );
      const { imagePullSecrets = [], serviceAccountName = 'default' } = pod?.spec ?? {};
      const pullSecrets = imagePullSecrets.flatMap((secret) => secret.name ?? []);
      return pod && { pullSecrets, serviceAccount: serviceAccountName };
    },
    listPods: async (namespace, labelSelector) => {
      const list = await read({ kind: 'pods', namespace }, (core, options) =>
        listed(core, options, { namespace, labelSelector }),
      );
      return list ?? [];
    },
  };
}

async function listed(
  core: Connected['core'],
  options: (take: TakeBody) => RequestOptions,
  asked: { readonly namespace: string; readonly labelSelector: string },
): Promise<readonly unknown[]> {
  let text = EMPTY_LIST;
  const take: TakeBody = async (body) => {
    text = await readAtMost(body, MAX_LIST_BYTES);
  };
  await core.listNamespacedPod({ ...asked, limit: MAX_LISTED_PODS }, options(take));
  const list = parseJson(text);
  return isJsonObject(list) ? listOf(list, 'items') : [];
}

type Act<T> = (
  core: Connected['core'],
  /** Gives the options of a request, which it is ended by, and its body taken. */
  options: (take?: TakeBody) => RequestOptions,
) => Promise<T>;

interface Asked {
  readonly kind: 'pods' | 'secrets' | 'serviceaccounts';
  readonly namespace: string;
  /** Absent where they are listed. */
  readonly name?: string;
}

/**
 * The object, undefined where there is none, or a PinError that names it. A name comes here out of a
 * review, and so before it was validated.
 */
async function found<T>(asked: Asked, read: () => Promise<T>): Promise<T | undefined> {
  const { kind, namespace, name } = asked;
  if (!isName(namespace) || (name !== undefined && !isName(name))) return undefined;
  const what = `${kind} "${name === undefined ? namespace : `${namespace}/${name}`}"`;
  try {
    return await read();
  } catch (caught) {
    const status = statusOf(caught);
    if (status === 404) return undefined;
    if (status === 403) {
      const message = `tagpin may not read ${what}`;
      throw new PinError('forbidden_secret', message);
    }
    const message = `the API server ${answerTo(caught)} when asked for ${what}`;
    throw new PinError('secret_unreadable', message, causeOf(caught));
  }
}

/** An API server that hangs must not hold a review until its own deadline. */
const READ_TIMEOUT_MS = 3000;
