import { access } from 'node:fs/promises';

import type {
  ConfigurationOptions,
  CoreV1Api,
  CustomObjectsApi,
  KubeConfig,
  RequestContext,
  ResponseContext,
} from '@kubernetes/client-node';

import type { Response } from 'undici';

import { PinError } from '../errors.ts';
import { within } from '../within.ts';
import { contextFault } from './context-fault.ts';

/** Which API server is read, and as whom: what kubeconfigs say together, as kubectl reads them. */
export interface Kubeconfig {
  /** In the order of `KUBECONFIG`: what comes first counts. */
  readonly files: readonly string[];
  /** In place of the current one. */
  readonly context?: string | undefined;
}

/** The API of a cluster, and how a request to it is ended. */
export interface Connected {
  /** The URL of the API server, for messages. */
  readonly server: string;
  readonly core: CoreV1Api;
  /** Objects of any other group, as the API server sends them. */
  readonly others: CustomObjectsApi;
  readonly endedBy: (signal: AbortSignal, take?: TakeBody, see?: SeeHeaders) => RequestOptions;
  /** Any request, its answer as it comes, of whatever status. Rejects where nobody answers. */
  readonly send: (request: PlainRequest, signal: AbortSignal) => Promise<Response>;
}

/** A request that the library has no method for, or none that shows the answer. */
interface PlainRequest {
  readonly method: 'GET' | 'POST';
  /** From the root of the API server, with its query. */
  readonly path: string;
  /** JSON. */
  readonly body?: string | undefined;
}

/** Told the headers of an answer, names in lower case, whatever its status. */
type SeeHeaders = (headers: Readonly<Record<string, string>>) => void;

/** What ends a request, and what becomes of its answer. */
export type RequestOptions = ConfigurationOptions;

/** Reads the body in the place of the library, which reads it whole and builds objects of it. */
export type TakeBody = (body: ReadableStream<Uint8Array> | null) => Promise<void>;

/** What the library is given in the place of a body that was taken. */
export const EMPTY_LIST = '{"kind":"PodList","apiVersion":"v1","items":[]}';

/**
 * Imports the client library, which takes half a second.
 *
 * @param kubeconfig undefined: the ServiceAccount of the Pod that this runs in
 * @param otherwise what does without a cluster, for the message where it cannot be reached
 * @throws PinError `invalid_config` where there is no way to reach an API server
 */
export async function connect(
  kubeconfig: Kubeconfig | undefined,
  otherwise: string,
): Promise<Connected> {
  const {
    CoreV1Api: Api,
    CustomObjectsApi: OthersApi,
    KubeConfig: Config,
    Observable,
  } = await import('@kubernetes/client-node');
  const config = new Config();
  const endedBy: Connected['endedBy'] = (signal, take, see) => ({
    middleware: [
      {
        pre: (request: RequestContext) => {
          request.setSignal(signal);
          return new Observable(Promise.resolve(request));
        },
        post: (response) => {
          see?.(response.headers);
          return new Observable(taken(response, take));
        },
      },
    ],
    middlewareMergeStrategy: 'append',
  });
  const unreachable = (why: string | undefined, details: { readonly cause?: unknown } = {}) => {
    const where = kubeconfig?.files.join(', ') ?? 'the ServiceAccount of this Pod';
    const said = why === undefined ? where : `${where}: ${why}`;
    const message = `Cannot reach an API server with ${said}; ${otherwise}`;
    return new PinError('invalid_config', message, details);
  };
  try {
    if (kubeconfig === undefined) {
      config.loadFromCluster();
      // The library takes any place for a Pod; only a Pod has this file.
      await access(config.getCurrentCluster()?.caFile ?? '');
    } else {
      const [first = '', ...others] = kubeconfig.files;
      config.loadFromFile(first);
      for (const file of others) {
        const more = new Config();
        more.loadFromFile(file);
        mergeInto(config, more);
      }
      if (kubeconfig.context !== undefined) config.setCurrentContext(kubeconfig.context);
      const fault = contextFault(config);
      if (fault !== undefined) throw unreachable(fault);
    }
    const [core, others] = [config.makeApiClient(Api), config.makeApiClient(OthersApi)];
    const server = config.getCurrentCluster()?.server ?? '';
    return { server: shownServer(server), core, others, endedBy, send: senderOf(config) };
  } catch (caught) {
    if (caught instanceof PinError) throw caught;
    throw unreachable(undefined, { cause: withoutLines(caught) });
  }
}

/** Without a password that may stand in it. */
function shownServer(server: string): string {
  return URL.canParse(server) ? new URL(server).origin : JSON.stringify(server);
}

/**
 * As the library sends, which knows how a kubeconfig lets in; but no redirection is followed, as the
 * library does: a Pod that is asked by way of the API server could send who asks, with their rights,
 * to any other path of it.
 */
function senderOf(config: KubeConfig): Connected['send'] {
  return async ({ method, path, body }, signal) => {
    const { HttpMethod, RequestContext: Context } = await import('@kubernetes/client-node');
    const { fetch } = await import('undici');
    const server = config.getCurrentCluster()?.server ?? '';
    const request = new Context(`${server.replace(/\/+$/, '')}${path}`, HttpMethod[method]);
    await config.applySecurityAuthentication(request);
    if (body !== undefined) request.setHeaderParam('Content-Type', 'application/json');
    const dispatcher = request.getDispatcher();
    return fetch(request.getUrl(), {
      method,
      headers: request.getHeaders(),
      body: body ?? null,
      signal,
      ...(dispatcher && { dispatcher }),
      redirect: 'manual',
    });
  };
}

/** Of YAML that it cannot read the library shows lines, and a token or a key may stand in them. */
function withoutLines(caught: unknown): unknown {
  if (!Error.isError(caught)) return caught;
  const [first = ''] = caught.message.split('\n', 1);
  return first === caught.message ? caught : new Error(first);
}

/** The response with its body taken, where that is wanted and there is a list in it. */
async function taken(
  response: ResponseContext,
  take: TakeBody | undefined,
): Promise<ResponseContext> {
  if (take === undefined || response.httpStatusCode !== 200) return response;
  await take(response.body.stream());
  response.body = {
    text: async () => EMPTY_LIST,
    binary: async () => Buffer.from(EMPTY_LIST),
    stream: () => null,
  };
  return response;
}

/** Of names that both have, the first one's count, as with kubectl; the library would throw. */
function mergeInto(config: KubeConfig, more: KubeConfig): void {
  more.clusters = more.clusters.filter(({ name }) => config.getCluster(name) === null);
  more.users = more.users.filter(({ name }) => config.getUser(name) === null);
  more.contexts = more.contexts.filter(({ name }) => config.getContextObject(name) === null);
  config.mergeConfig(more, Boolean(config.currentContext));
}

/** What is too late is given up, its connection too. */
export async function inTime<T>(
  timeMs: number,
  read: (signal: AbortSignal) => Promise<T>,
): Promise<T> {
  const ending = new AbortController();
  return within(timeMs, read(ending.signal), () => {
    const error = new Error(`no answer within ${timeMs} ms`);
    ending.abort(error);
    throw error;
  });
}
