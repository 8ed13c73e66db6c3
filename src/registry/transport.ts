import { PinError } from '../errors.ts';
import { type Bodies, createBodies } from './bodies.ts';
import type { Guard } from './guard.ts';
import { toNetworkError } from './network-error.ts';
import { createPools, type FindAuthorities, type Pools } from './pools.ts';
import type { FindProxy } from './proxies.ts';
import { type Sender, strangerBefore } from './sender.ts';

/** TLS as the operator wants it for one host; whatever is left out is as ever. */
export interface TlsSettings {
  /** Differs where any of the others does. */
  readonly id: string;
  /** PEM, in addition to the authorities of the system. */
  readonly ca?: readonly string[];
  /** The client's certificate and its key, PEM. */
  readonly cert?: string;
  readonly key?: string;
  /** Any certificate will do. */
  readonly skipVerify?: boolean;
}

/** How a host is connected to of which the operator's own files say something. */
export interface Connection {
  /** They name this host: it may have private addresses, any port, and speak plain http. */
  readonly named: boolean;
  readonly tls?: TlsSettings;
  /** Milliseconds. */
  readonly connectTimeoutMs?: number;
}

/** One request; its signal ends it, body included. */
export interface RegistryRequest {
  readonly method: 'GET' | 'HEAD' | 'POST';
  readonly url: URL;
  readonly headers: Readonly<Record<string, string>>;
  /** A form, which may hold a secret: it is sent once, to no other place. */
  readonly form?: URLSearchParams | undefined;
  readonly signal: AbortSignal;
  readonly maxBodyBytes: number;
  /** A token endpoint is never followed elsewhere: it would be sent the credential. */
  readonly followRedirects: boolean;
  /** For this origin alone, which the operator named: a redirect to another one leaves it behind. */
  readonly connection?: Connection | undefined;
  /** Whose answer leads there; nobody's where an image does. */
  readonly sender?: Sender | undefined;
}

export interface RegistryResponse {
  readonly status: number;
  /** The values of a header, in the order in which they came; none where it is absent. */
  readonly header: (name: string) => readonly string[];
  readonly body: Buffer;
  /** Where the answer came from, after redirects. */
  readonly url: URL;
  /** Who led there. */
  readonly sender?: Sender | undefined;
}

/** Told of every answer and every failure, with the host that was asked. */
type ObserveRequest = (request: {
  readonly host: string;
  /** HTTP status as text, or the error code. */
  readonly code: string;
  readonly ms: number;
}) => void;

export interface Transport {
  /** Throws PinError `dns_failed`, `tls_failed`, `unavailable`, `deadline_exceeded`, `invalid_response`, `blocked_address`. */
  readonly send: (request: RegistryRequest) => Promise<RegistryResponse>;
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

const MAX_REDIRECTS = 5;
const REDIRECTS: ReadonlySet<number> = new Set([301, 302, 303, 307, 308]);

export function createTransport(options: TransportOptions): Transport {
  const parts = { ...options, pools: createPools(options), bodies: createBodies() };
  return { send: (request) => follow(parts, request), close: parts.pools.close };
}

/** Redirects by hand: every hop is guarded, and another origin sees no Authorization. */
async function follow(parts: TransportParts, request: RegistryRequest): Promise<RegistryResponse> {
  let here = request;
  for (let hop = 0; hop <= MAX_REDIRECTS; hop += 1) {
    const { url, connection } = here;
    const stranger = strangerBefore(parts.guard, here);
    parts.guard.checkUrl(url, { byFile: connection?.named, stranger });
    // oxlint-disable-next-line no-await-in-loop -- each hop is known only from the one before
    const response = await sendOnce(parts, { ...here, stranger });
    const next = followsRedirects(request) ? locationOf(response) : undefined;
    if (next === undefined) return response;
    refuseDowngrade(here.url, next);
    here = next.origin === here.url.origin ? { ...here, url: next } : elsewhere(here, next);
  }
  throw new PinError(
    'invalid_response',
    `${request.url.host} redirects more than ${MAX_REDIRECTS} times`,
    {
      host: request.url.hostname,
    },
  );
}

function followsRedirects({ followRedirects, form }: RegistryRequest): boolean {
  return followRedirects && form === undefined;
}

function locationOf(response: RegistryResponse): URL | undefined {
  const [location] = response.header('location');
  if (!REDIRECTS.has(response.status) || location === undefined) return undefined;
  const url = URL.parse(location, response.url.href);
  if (url !== null) return url;
  throw new PinError('invalid_response', `${response.url.host} redirects to no address`, {
    host: response.url.hostname,
  });
}

/** What was asked over TLS is not answered without, not even by a host that may speak http. */
function refuseDowngrade(from: URL, to: URL): void {
  if (from.protocol !== 'https:' || to.protocol !== 'http:') return;
  const message = `${from.host} redirects from https to http, which is not followed`;
  throw new PinError('blocked_address', message, { host: from.hostname });
}

/** To another origin goes what any stranger may see. */
function elsewhere(request: RegistryRequest, url: URL): RegistryRequest {
  const { accept } = request.headers;
  const { url: from, connection, sender } = request;
  return {
    ...request,
    url,
    headers: { ...(accept && { accept }) },
    connection: undefined,
    sender: { url: from, connection, sender },
  };
}

async function sendOnce(
  parts: TransportParts,
  request: RegistryRequest & { readonly stranger: URL | undefined },
): Promise<RegistryResponse> {
  const { url, method, signal, form, sender, connection, stranger } = request;
  const startedAtMs = performance.now();
  const observe = (code: string): void =>
    parts.observe({ host: url.host, code, ms: performance.now() - startedAtMs });
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
    });
    const body = await parts.bodies.read(answer.body, request);
    observe(String(answer.statusCode));
    return { status: answer.statusCode, header: headerReader(answer.headers), body, url, sender };
  } catch (caught) {
    const error = toNetworkError(caught, url, performance.now() - startedAtMs);
    observe(error.code);
    throw error;
  }
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
