import { PinError, toPinError } from '../errors.ts';
import type { ImageReference } from '../image/reference.ts';
import type { Endpoint, FindEndpoints } from './hosts.ts';
import type { Transport } from './transport.ts';

/** Whether somebody answers as a registry does, at one place of an image. */
export interface Answered {
  readonly origin: string;
  /** Undefined where it does. */
  readonly error: PinError | undefined;
}

/** Asks every place of an image whether a registry is there, without a credential. */
export type Ping = (reference: ImageReference, timeMs: number) => Promise<readonly Answered[]>;

const MAX_BODY_BYTES = 64 * 1024;

export function createPing(transport: Pick<Transport, 'send'>, endpointsOf: FindEndpoints): Ping {
  return async (reference, timeMs) => {
    const endpoints = await endpointsOf(reference);
    return Promise.all(
      endpoints.map(async (endpoint) => {
        const { origin } = endpoint;
        try {
          await ask(transport, endpoint, AbortSignal.timeout(timeMs));
          return { origin, error: undefined };
        } catch (caught) {
          return { origin, error: toPinError(caught) };
        }
      }),
    );
  };
}

/** `GET /v2/` is 200, or 401 with a challenge (distribution specification 1.1, end-1). */
async function ask(
  { send }: Pick<Transport, 'send'>,
  endpoint: Endpoint,
  signal: AbortSignal,
): Promise<void> {
  const { origin, root, registry, connection, headers } = endpoint;
  const { status, header } = await send({
    method: 'GET',
    url: new URL(`${root}/`, origin),
    headers: { ...headers, accept: '*/*' },
    signal,
    maxBodyBytes: MAX_BODY_BYTES,
    followRedirects: true,
    connection,
  });
  const isChallenge = status === 401 && header('www-authenticate').length > 0;
  if (status === 200 || isChallenge) return;
  const host = new URL(origin).host;
  if (status === 401 || status === 403) {
    const message = `${host} answered ${status} to /v2/, and names no way to be let in`;
    throw new PinError('unauthorized', message, { host: registry });
  }
  const code = status === 429 ? 'rate_limited' : status >= 500 ? 'unavailable' : 'invalid_response';
  throw new PinError(code, `${host} answered ${status} to /v2/`, { host: registry });
}
