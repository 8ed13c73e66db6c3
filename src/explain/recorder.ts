import type { SecretReader } from '../credentials/read-secrets.ts';
import { PinError, toPinError } from '../errors.ts';
import { type ImageReference, normalizedTag } from '../image/reference.ts';
import type { Logger } from '../log.ts';
import type { Endpoint } from '../registry/hosts.ts';
import type { ObserveTry } from '../registry/offers.ts';
import type { EndedRequest } from '../registry/transport.ts';
import type { Trace } from '../resolve/traced.ts';
import type { ClusterStep, Place, Step, StepBody } from './step.ts';

/** Turns what the engine tells into steps. */
export interface Recorder extends Trace {
  /** From now on the time counts. */
  readonly image: (reference: ImageReference) => void;
  readonly trying: ObserveTry;
  readonly requested: (request: EndedRequest) => void;
  readonly cacheResult: (result: string) => void;
  readonly log: Logger;
  /** The same reader, whose every reading is a step. */
  readonly reader: (reader: SecretReader) => SecretReader;
  /** Reads an object of the cluster, which is a step. */
  readonly read: <T>(what: Reading<T>) => Promise<T | undefined>;
}

/** A reading of one object. */
interface Reading<T> extends Pick<ClusterStep, 'kind'> {
  readonly namespace: string;
  readonly name: string;
  readonly act: () => Promise<T | undefined>;
  readonly pullSecretsOf?: (found: T) => readonly string[];
}

export interface RecorderOptions {
  readonly observe: (step: Step) => void;
  /** The clock of `performance.now()`, in milliseconds. */
  readonly now: () => number;
}

type Tell = (body: StepBody, sinceMs?: number) => void;

export function createRecorder({ observe, now }: RecorderOptions): Recorder {
  let startedAtMs = now();
  let placesTold = false;
  const tell: Tell = (body, sinceMs = 0) =>
    observe({ atMs: now() - startedAtMs - sinceMs, ...body });
  const read = readerOf(tell, now);
  return {
    image: (reference) => {
      startedAtMs = now();
      const { registry, repository, digest } = reference;
      const by = digest === undefined ? { tag: normalizedTag(reference) } : { digest };
      tell({ step: 'image', registry, repository, ...by });
    },
    access: ({ own, lent }) => {
      const origins = own.map(({ origin }) => origin);
      tell({ step: 'credentials', own: origins, lent: lent.map(({ name }) => name) });
    },
    places: (endpoints) => {
      // Of one image they stay the same.
      if (!placesTold) tell({ step: 'places', places: endpoints.map(placeOf) });
      placesTold = true;
    },
    leftAlone: (registry, { code, message }) =>
      tell({ step: 'left_alone', registry, reason: code, message }),
    asking: ({ registry, origin }) => tell({ step: 'asking', registry, origin }),
    answered: ({ registry }, answer) => {
      const told =
        answer instanceof PinError
          ? { reason: answer.code, message: answer.message }
          : { digest: answer.digest };
      tell({ step: 'answered', registry, ...told });
    },
    trying: ({ offer, source }) =>
      tell({ step: 'credential', origin: offer?.origin ?? null, lentBy: source?.name ?? null }),
    requested: ({ method, purpose, url, scheme = null, code, ms }) => {
      const { host, pathname: path } = url;
      const sent = { method, host, path, authorization: scheme };
      tell({ step: 'request', purpose: purpose ?? 'image', ...sent, answer: code, ms }, ms);
    },
    cacheResult: (result) => tell({ step: 'cache', result }),
    log: loggerOf(tell),
    read,
    reader: ({ readSecret, readPullSecretNames }) => ({
      readSecret: (namespace, name) =>
        read({ kind: 'Secret', namespace, name, act: () => readSecret(namespace, name) }),
      readPullSecretNames: (namespace, name) =>
        read({
          kind: 'ServiceAccount',
          namespace,
          name,
          act: () => readPullSecretNames(namespace, name),
          pullSecretsOf: (names) => names,
        }),
    }),
  };
}

function placeOf({ registry, origin, isRegistry, isFallback }: Endpoint): Place {
  const role = isFallback === true ? 'fallback' : isRegistry ? 'registry' : 'mirror';
  return { registry, origin, role };
}

function loggerOf(tell: Tell): Logger {
  const log: Logger['warn'] = (fields, message) => {
    const { error } = fields;
    const cause = typeof error === 'string' ? `: ${error}` : '';
    tell({ step: 'warning', message: `${message}${cause}` });
  };
  return { info: () => {}, warn: log, error: log };
}

/** The resources of RBAC, by kind. */
const RESOURCES: Readonly<Record<ClusterStep['kind'], string>> = {
  Pod: 'pods',
  ServiceAccount: 'serviceaccounts',
  Secret: 'secrets',
};

function readerOf(tell: Tell, now: () => number): Recorder['read'] {
  return async ({ kind, namespace, name, act, pullSecretsOf }) => {
    const startedAtMs = now();
    const ended = (outcome: Pick<ClusterStep, 'result'> & Partial<ClusterStep>): void => {
      const ms = now() - startedAtMs;
      tell({ step: 'cluster', kind, name: `${namespace}/${name}`, ms, ...outcome }, ms);
    };
    try {
      const found = await act();
      if (found === undefined) ended({ result: 'missing' });
      else if (pullSecretsOf === undefined) ended({ result: 'found' });
      else ended({ result: 'found', pullSecrets: pullSecretsOf(found) });
      return found;
    } catch (caught) {
      const { code, message } = toPinError(caught);
      const needs = { verb: 'get', resource: RESOURCES[kind], namespace } as const;
      ended({ result: code, message, ...(code === 'forbidden_secret' && { needs }) });
      throw caught;
    }
  };
}
