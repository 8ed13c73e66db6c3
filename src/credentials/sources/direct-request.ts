/** A request to one address and nowhere else. */
export interface DirectRequest {
  readonly url: URL;
  readonly headers?: Readonly<Record<string, string>>;
  /** Makes it a POST. */
  readonly form?: Readonly<Record<string, string>>;
  readonly signal: AbortSignal;
}

export interface DirectResponse {
  readonly status: number;
  readonly headers: Headers;
  readonly text: string;
}

class BodyTooLongError extends Error {
  override readonly name = 'BodyTooLongError';
}

/** Of tokens, and of what else a cloud's own services answer; theirs have some kilobytes. */
const MAX_BODY_BYTES = 64 * 1024;

/**
 * Asks an address that the operator, or a table of the program, has chosen: a redirect is an error,
 * and nothing that the registries' transport allows or refuses applies. Throws what
 * `fetch` throws, and BodyTooLongError.
 */
export async function sendDirectly(
  { url, headers, form, signal }: DirectRequest,
  send: typeof fetch = fetch,
): Promise<DirectResponse> {
  const response = await send(url.href, {
    redirect: 'error',
    signal,
    ...(headers && { headers }),
    ...(form && { method: 'POST', body: new URLSearchParams(form) }),
  });
  return {
    status: response.status,
    headers: response.headers,
    text: await readText(response, url),
  };
}

async function readText(response: Response, url: URL): Promise<string> {
  const chunks: Uint8Array[] = [];
  let length = 0;
  for await (const chunk of response.body ?? []) {
    length += chunk.length;
    if (length > MAX_BODY_BYTES) {
      throw new BodyTooLongError(`${url.host} sent more than ${MAX_BODY_BYTES} bytes`);
    }
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString('utf8');
}
