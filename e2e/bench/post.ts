import type { Agent } from 'node:https';

import { type Answered, call } from '../../test/support/call.ts';

/** Where a webhook on loopback is called, as the API server calls it. */
export function pinUrl({ port }: { readonly port: number }): string {
  return `https://127.0.0.1:${port}/admission/pin?timeout=10s`;
}

/** Sends JSON, and waits for the end of the answer, whatever its status. Rejects where there is none. */
export function post(url: string, agent: Agent, body: string): Promise<Answered> {
  const { port, pathname, search } = new URL(url);
  return call(Number(port), undefined, { agent, path: pathname + search, body });
}
