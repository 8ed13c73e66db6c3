import { type Agent, request as httpsRequest } from 'node:https';

/** What a webhook answered. */
export interface Posted {
  readonly status: number;
  readonly text: string;
}

/** Where a webhook on loopback is called, as the API server calls it. */
export function pinUrl({ port }: { readonly port: number }): string {
  return `https://127.0.0.1:${port}/admission/pin?timeout=10s`;
}

/** Sends JSON, and waits for the end of the answer, whatever its status. Rejects where there is none. */
export function post(url: string, agent: Agent, body: string): Promise<Posted> {
  return new Promise((resolve, reject) => {
    const headers = { 'content-type': 'application/json' };
    const call = httpsRequest(url, { agent, method: 'POST', headers }, (response) => {
      const chunks: Buffer[] = [];
      response.on('data', (chunk: Buffer) => chunks.push(chunk));
      response.on('error', reject);
      response.on('end', () =>
        resolve({ status: response.statusCode ?? 0, text: Buffer.concat(chunks).toString() }),
      );
    });
    call.on('error', reject);
    call.end(body);
  });
}
