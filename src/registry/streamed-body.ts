import { toNetworkError } from './network-error.ts';

/**
 * The chunks of a body as they come. Leaving it early ends the request. Throws PinError where the
 * connection fails on the way.
 */
export async function* streamedBody(
  body: AsyncIterable<Uint8Array>,
  url: URL,
): AsyncGenerator<Uint8Array> {
  const startedAtMs = performance.now();
  try {
    yield* body;
  } catch (caught) {
    throw toNetworkError(caught, url, performance.now() - startedAtMs);
  }
}
