import type { IncomingHttpHeaders } from 'node:http';
import { type Agent, request } from 'node:https';

export interface CallOptions {
  readonly method?: string;
  readonly path?: string;
  readonly headers?: Readonly<Record<string, string>>;
  /** In one piece with its Content-Length; as a list in pieces without. */
  readonly body?: string | Buffer | readonly Buffer[];
  readonly agent?: Agent;
  readonly signal?: AbortSignal;
}

/** What came back, once it is complete. */
export interface Answered {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly text: string;
}

/**
 * Calls a server on 127.0.0.1 over TLS as the API server does.
 *
 * @param ca the only authority that is trusted; undefined: the agent knows
 */
export function call(
  port: number,
  ca: string | undefined,
  options: CallOptions = {},
): Promise<Answered> {
  const {
    method = 'POST',
    path = '/admission/pin',
    headers = {},
    body = '',
    agent,
    signal,
  } = options;
  return new Promise((resolve, reject) => {
    const sent = request(
      {
        host: '127.0.0.1',
        port,
        method,
        path,
        agent: agent ?? false,
        headers: { 'content-type': 'application/json', ...headers },
        ...(ca !== undefined && { ca }),
        ...(signal && { signal }),
      },
      (response) => {
        const chunks: Buffer[] = [];
        response.on('data', (chunk: Buffer) => chunks.push(chunk));
        response.on('error', reject);
        response.on('end', () =>
          resolve({
            status: response.statusCode ?? 0,
            headers: response.headers,
            text: Buffer.concat(chunks).toString(),
          }),
        );
      },
    );
    sent.on('error', reject);
    if (typeof body === 'string' || Buffer.isBuffer(body)) {
      sent.end(body);
      return;
    }
    for (const piece of body) sent.write(piece);
    sent.end();
  });
}
