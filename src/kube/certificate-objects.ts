import type { CertificateObjects, Configuration } from '../certificates/ports.ts';
import { PinError } from '../errors.ts';
import { isJsonObject, type JsonObject, objectIn, textOf } from '../json.ts';
import {
  type Connected,
  connect,
  inTime,
  type Kubeconfig,
  type RequestOptions,
} from './connection.ts';
import { answerTo, causeOf, statusOf } from './failed-request.ts';

/** Where they are. */
export interface CertificateAddresses {
  readonly secret: { readonly namespace: string; readonly name: string };
  /** The name of the webhook configurations. */
  readonly configuration: string;
}

const REQUEST_TIME_MS = 10_000;
/** Whom the API server names as the owner of the fields that are written here. */
const FIELD_MANAGER = 'tagpin-certificates';
const REGISTRATION = { group: 'admissionregistration.k8s.io', version: 'v1' } as const;
const PLURALS: Readonly<Record<Configuration['kind'], string>> = {
  mutating: 'mutatingwebhookconfigurations',
  validating: 'validatingwebhookconfigurations',
};

/**
 * The Secret and the webhook configurations of built-in certificates.
 *
 * @param kubeconfig undefined: the ServiceAccount of the Pod that this runs in
 */
export function createCertificateObjects(
  kubeconfig: Kubeconfig | undefined,
  { secret, configuration: name }: CertificateAddresses,
): CertificateObjects {
  const { ask, nowMs } = createAsking(kubeconfig);
  const secretName = `secrets "${secret.namespace}/${secret.name}"`;
  const read = async (kind: Configuration['kind']): Promise<readonly Configuration[]> => {
    const asked = { ...REGISTRATION, plural: PLURALS[kind], name };
    const what = `${asked.plural} "${name}"`;
    const object: unknown = await ask({ verb: 'get', what, without: [404] }, (api, options) =>
      api.others.getClusterCustomObject(asked, options),
    );
    return isJsonObject(object) ? [{ kind, version: versionOf(object), object }] : [];
  };
  return {
    nowMs,
    readConfigurations: async () => {
      const [mutating, validating] = await Promise.all([read('mutating'), read('validating')]);
      return [...mutating, ...validating];
    },
    readSecret: async () => {
      const asked = { verb: 'get', what: secretName, without: [404] };
      const object = await ask(asked, ({ core }, options) =>
        core.readNamespacedSecret(secret, options),
      );
      if (object === undefined) return undefined;
      return { version: object.metadata?.resourceVersion ?? '', object: { data: object.data } };
    },
    patchConfiguration: async (kind, body) => {
      const asked = { ...REGISTRATION, plural: PLURALS[kind], name, fieldManager: FIELD_MANAGER };
      const what = `${asked.plural} "${name}"`;
      const patched: unknown = await ask(
        { verb: 'patch', what, without: OVERTAKEN },
        (api, options) => api.others.patchClusterCustomObject({ ...asked, body }, options),
      );
      return patched !== undefined;
    },
    writeSecret: async (data, version) => {
      const asked = { namespace: secret.namespace, fieldManager: FIELD_MANAGER };
      const verb = version === undefined ? 'create' : 'patch';
      const written = await ask(
        { verb, what: secretName, without: OVERTAKEN },
        ({ core }, options) => {
          if (version === undefined) {
            const body = { metadata: { name: secret.name }, type: 'Opaque', data };
            return core.createNamespacedSecret({ ...asked, body }, options);
          }
          // Labels and annotations may be somebody else's.
          const body = [
            { op: 'replace', path: '/metadata/resourceVersion', value: version },
            { op: 'add', path: '/data', value: data },
          ];
          return core.patchNamespacedSecret({ ...asked, name: secret.name, body }, options);
        },
      );
      return written !== undefined;
    },
  };
}

/** The statuses of a write for which somebody else was faster: it is gone, or another by now. */
const OVERTAKEN = [404, 409];

/** A request, for the message where it fails. */
interface Asked {
  readonly verb: string;
  readonly what: string;
  /** The statuses that are no failure, and for which there is nothing. */
  readonly without: readonly number[];
}

interface Asking {
  readonly ask: <T>(
    asked: Asked,
    act: (api: Connected, options: RequestOptions) => Promise<T>,
  ) => Promise<T | undefined>;
  readonly nowMs: () => number;
}

function createAsking(kubeconfig: Kubeconfig | undefined): Asking {
  let api: Promise<Connected> | undefined;
  const connected = (): Promise<Connected> =>
    (api ??= connect(kubeconfig, '--certificates files does without'));
  const clock = createServerClock();
  return {
    nowMs: clock.nowMs,
    ask: async ({ verb, what, without }, act) => {
      const server = await connected();
      try {
        return await inTime(REQUEST_TIME_MS, (signal) =>
          act(server, server.endedBy(signal, undefined, clock.see)),
        );
      } catch (caught) {
        const status = statusOf(caught);
        if (status !== undefined && without.includes(status)) return undefined;
        throw refusal({ verb, what }, status, caught);
      }
    },
  };
}

function refusal(
  { verb, what }: Pick<Asked, 'verb' | 'what'>,
  status: number | undefined,
  caught: unknown,
): PinError {
  const message =
    status === 403
      ? `tagpin may not ${verb} ${what}: built-in certificates need that right`
      : `the API server ${answerTo(caught)} when asked to ${verb} ${what}`;
  return new PinError('cluster_unreadable', message, causeOf(caught));
}

/**
 * The time of the API server, by the `Date` of its answers (RFC 9110 section 6.6.1): it is who judges
 * certificates, and the clocks of replicas may be wrong, each in its own way. By the clock of this
 * machine where an answer has none.
 */
function createServerClock(): {
  readonly nowMs: () => number;
  readonly see: (headers: Readonly<Record<string, string>>) => void;
} {
  let seen: { readonly timeMs: number; readonly atMs: number } | undefined;
  return {
    nowMs: () => (seen === undefined ? Date.now() : seen.timeMs + performance.now() - seen.atMs),
    see: (headers) => {
      const timeMs = Date.parse(headers['date'] ?? '');
      seen = Number.isNaN(timeMs) ? undefined : { timeMs, atMs: performance.now() };
    },
  };
}

function versionOf(object: JsonObject): string {
  return textOf(objectIn(object, 'metadata'), 'resourceVersion') ?? '';
}
