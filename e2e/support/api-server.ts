import { readFileSync } from 'node:fs';
import { Agent } from 'node:https';

import { call } from '../../test/support/call.ts';

/** What the API server said. */
interface ApiAnswer {
  readonly status: number;
  readonly text: string;
}

/** The API server of these tests, without a client library between: what is measured is its own time. */
export interface ApiServer {
  readonly send: (
    method: 'GET' | 'POST' | 'PATCH' | 'DELETE',
    path: string,
    body?: string,
  ) => Promise<ApiAnswer>;
  readonly close: () => void;
}

interface Kubeconfig {
  readonly clusters: readonly {
    readonly cluster: { readonly server: string; readonly 'certificate-authority-data': string };
  }[];
  readonly users: readonly {
    readonly user: {
      readonly 'client-certificate-data': string;
      readonly 'client-key-data': string;
    };
  }[];
}

function decoded(text: string | undefined): Buffer {
  return Buffer.from(text ?? '', 'base64');
}

/** Where the API server of a kubeconfig of these tests listens, and connections to it as its user. */
export function agentOf(kubeconfig: string, connections: number): { port: number; agent: Agent } {
  const { clusters, users } = JSON.parse(readFileSync(kubeconfig, 'utf8')) as Kubeconfig;
  const [cluster, user] = [clusters[0]?.cluster, users[0]?.user];
  const agent = new Agent({
    keepAlive: true,
    maxSockets: connections,
    ca: decoded(cluster?.['certificate-authority-data']),
    cert: decoded(user?.['client-certificate-data']),
    key: decoded(user?.['client-key-data']),
  });
  return { port: Number(new URL(cluster?.server ?? '').port), agent };
}

/** As the user of a kubeconfig of these tests, over connections that stay. */
export function connectTo(kubeconfig: string, connections: number): ApiServer {
  const { port, agent } = agentOf(kubeconfig, connections);
  return {
    send: (method, path, body = '') => {
      const type = method === 'PATCH' ? 'application/merge-patch+json' : 'application/json';
      return call(port, undefined, {
        agent,
        method,
        path,
        body,
        headers: { 'content-type': type },
      });
    },
    close: () => agent.destroy(),
  };
}
