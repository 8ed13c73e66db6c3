import { randomUUID } from 'node:crypto';
import type { IncomingHttpHeaders } from 'node:http';

import { call } from '../../test/support/call.ts';
import { agentOf } from '../support/api-server.ts';

type Method = 'GET' | 'POST' | 'PATCH' | 'DELETE';

/** What the API server said, or that it did not. */
export interface Answer {
  /** Under which the audit log has it. */
  readonly id: string;
  readonly fromMs: number;
  readonly untilMs: number;
  /** 0 where no answer came. */
  readonly status: number;
  /** The body; where no answer came, why. */
  readonly text: string;
  readonly warnings: readonly string[];
}

/** The API server, as a client sees it that outlives its failures. */
export interface ClusterApi {
  readonly send: (method: Method, path: string, body?: object) => Promise<Answer>;
  readonly close: () => void;
}

/** Longer than any of its own limits. */
const TIMEOUT_MS = 60_000;

export function connectClient(kubeconfig: string, connections: number): ClusterApi {
  const { port, agent } = agentOf(kubeconfig, connections);
  return {
    send: async (method, path, body) => {
      const id = randomUUID();
      const type = method === 'PATCH' ? 'application/merge-patch+json' : 'application/json';
      const fromMs = Date.now();
      try {
        const { status, headers, text } = await call(port, undefined, {
          agent,
          method,
          path,
          body: body === undefined ? '' : JSON.stringify(body),
          headers: { 'content-type': type, 'audit-id': id },
          signal: AbortSignal.timeout(TIMEOUT_MS),
        });
        return { id, fromMs, untilMs: Date.now(), status, text, warnings: warningsOf(headers) };
      } catch (error) {
        return { id, fromMs, untilMs: Date.now(), status: 0, text: String(error), warnings: [] };
      }
    },
    close: () => agent.destroy(),
  };
}

/** `299 - "text"`, with backslashes before quotes (RFC 7234, 5.5), several of them with commas between. */
function warningsOf({ warning = '' }: IncomingHttpHeaders): readonly string[] {
  const quoted = warning.matchAll(/\d{3} \S+ "((?:[^"\\]|\\.)*)"/g);
  return [...quoted].map(([, text = '']) => text.replace(/\\(.)/g, '$1'));
}
