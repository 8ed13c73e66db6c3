import { type Bodies, createBodies } from './bodies.ts';
import type { OpenResponse, RegistryRequest, RegistryResponse } from './exchange.ts';
import type { Guard } from './guard.ts';
import { toNetworkError } from './network-error.ts';
import { createPools, type FindAuthorities, type Pools } from './pools.ts';
import type { FindProxy } from './proxies.ts';
import { type Quota, quotaOf } from './quota.ts';
import { followRedirects, type Hop } from './redirects.ts';
import { streamedBody } from './streamed-body.ts';

/** A request that ended, without what it carried. */
export interface EndedRequest {
  readonly method: RegistryRequest['method'];
  readonly purpose: RegistryRequest['purpose'];
  /** Without its query, which may hold the signature of a redirect. */
  readonly url: Pick<URL, 'host' | 'pathname'>;
  /** The scheme of its authorization; undefined where it had none. */
  readonly scheme: string | undefined;
  /** HTTP status as text, or the error code. */
  readonly code: string;
  readonly ms: number;
  /** What the answer tells of it; undefined where there is none. */
  readonly quota: Quota | undefined;
}

/** Told of every answer and every failure. */
type ObserveRequest = (request: EndedRequest & { readonly host: string }) => void;

export interface Transport {
  /** Throws PinError `dns_failed`, `tls_failed`, `unavailable`, `deadline_exceeded`, `invalid_response`, `blocked_address`. */
  readonly send: (request: RegistryRequest) => Promise<RegistryResponse>;
  /**
   * The same, with a body of any length on its way where the status is 200. The signal ends the
   * request until then; from there on, whoever reads the body, or a server that is silent.
   */
  readonly open: (request: RegistryRequest) => Promise<OpenResponse>;
  readonly close: () => Promise<void>;
}

export interface TransportOptions {
  readonly guard: Guard;
  /** Whom to trust beside the system's authorities; nobody where it is absent. */
  readonly authoritiesOf?: FindAuthorities;
  /** Which proxy stands before a URL; none where it is absent. */
  readonly proxyOf?: FindProxy;
  readonly observe: ObserveRequest;
  readonly userAgent: string;
}

interface TransportParts extends TransportOptions {
  readonly pools: Pools;
  readonly bodies: Bodies;
}

type Answer = Awaited<ReturnType<ReturnType<Pools['poolOf']>['request']>>;

/** What is made of an answer's body. */
interface Reception {
  readonly take: (
    parts: TransportParts,
    answer: Answer,
    request: RegistryRequest,
  ) => Promise<Pick<OpenResponse, 'body' | 'content'>>;
  /** How long a server may be silent between two chunks, in milliseconds; else as the pool has it. */
  readonly bodyTimeout?: number;
}

const READ: Reception = {
  take: async ({ bodies }, answer, request) => ({ body: await bodies.read(answer.body, request) }),
};

const OPEN: Reception = {
  take: async (parts, answer, request) =>
    answer.statusCode === 200
      ? { body: Buffer.alloc(0), content: streamedBody(answer.body, request.url) }
      : READ.take(parts, answer, request),
  // Nobody waits for the whole, and whoever has sent half of a layer is worth some patience.
  bodyTimeout: 30_000,
};

export function createTransport(options: TransportOptions): Transport {
  const parts = { ...options, pools: createPools(options), bodies: createBodies() };
  return {
    send: (request) => send(parts, request, READ),
    open: (request) => openRequest(parts, request),
    close: parts.pools.close,
  };
}

/** Until the answer has begun its signal ends the request, and then nothing does but its reader. */
async function openRequest(parts: TransportParts, request: RegistryRequest): Promise<OpenResponse> {
  const { signal } = request;
  const opening = new AbortController();
  const giveUp = (): void => opening.abort(signal.reason);
  if (signal.aborted) giveUp();
  signal.addEventListener('abort', giveUp, { once: true });
  try {
    return await send(parts, { ...request, signal: opening.signal }, OPEN);
  } finally {
    signal.removeEventListener('abort', giveUp);
  }
}

function send(
  parts: TransportParts,
  request: RegistryRequest,
  reception: Reception,
): Promise<OpenResponse> {
  return followRedirects(parts.guard, request, (hop) => sendOnce(parts, hop, reception));
}

async function sendOnce(
  parts: TransportParts,
  request: Hop,
  { take, bodyTimeout }: Reception,
): Promise<OpenResponse> {
  const { url, method, signal, form, sender, connection, stranger, purpose } = request;
  const [scheme] = request.headers['authorization']?.split(' ', 1) ?? [];
  await connectionIsFree();
  const startedAtMs = performance.now();
  const observe = (code: string, quota?: Quota): void => {
    const ms = performance.now() - startedAtMs;
    parts.observe({ host: url.host, method, purpose, url, scheme, code, ms, quota });
  };
  try {
    const answer = await parts.pools.poolOf(url, connection, stranger).request({
      origin: url.origin,
      path: `${url.pathname}${url.search}`,
      method,
      signal,
      // After a HEAD undici hangs up, as some servers send a body all the same. A handshake for each
      // look-up is the worse evil: a body that is not expected ends the connection by itself.
      reset: false,
      // Some registries compress on request, and a digest is that of the raw bytes.
      headers: {
        'user-agent': parts.userAgent,
        'accept-encoding': 'identity',
        ...(form !== undefined && { 'content-type': 'application/x-www-form-urlencoded' }),
        ...request.headers,
      },
      ...(form !== undefined && { body: form.toString() }),
      ...(bodyTimeout !== undefined && { bodyTimeout }),
    });
    const taken = await take(parts, answer, request);
    const header = headerReader(answer.headers);
    observe(String(answer.statusCode), quotaOf(header));
    return {
      status: answer.statusCode,
      header,
      ...taken,
      url,
      sender,
    };
  } catch (caught) {
    const error = toNetworkError(caught, url, performance.now() - startedAtMs);
    observe(error.code);
    throw error;
  }
}

/**
 * undici takes a connection for busy until a turn of the event loop after its answer has ended, and
 * makes another for what is asked before: two round trips more on the way to a token, and back.
 */
function connectionIsFree(): Promise<void> {
  return new Promise((resolve) => {
    setImmediate(resolve);
  });
}

function headerReader(
  headers: Readonly<Record<string, string | string[] | undefined>>,
): (name: string) => readonly string[] {
  return (name) => {
    const value = headers[name];
    if (value === undefined) return [];
    return typeof value === 'string' ? [value] : value;
  };
}
