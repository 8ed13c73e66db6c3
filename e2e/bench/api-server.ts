import { readFileSync } from 'node:fs';
import { Agent, request as httpsRequest } from 'node:https';

/** What the API server said. */
export interface ApiAnswer {
  readonly status: number;
  readonly text: string;
}

/** The API server without a client library between: what is measured is its own time. */
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

/** As the user of a kubeconfig of these tests, over connections that stay. */
export function connectTo(kubeconfig: string, connections: number): ApiServer {
  const { clusters, users } = JSON.parse(readFileSync(kubeconfig, 'utf8')) as Kubeconfig;
  const [cluster, user] = [clusters[0]?.cluster, users[0]?.user];
  const agent = new Agent({
    keepAlive: true,
    maxSockets: connections,
    ca: decoded(cluster?.['certificate-authority-data']),
    cert: decoded(user?.['client-certificate-data']),
    key: decoded(user?.['client-key-data']),
  });
  const { hostname, port } = new URL(cluster?.server ?? '');
  return {
    send: (method, path, body) =>
      new Promise((resolve, reject) => {
        const headers = {
          'content-type': method === 'PATCH' ? 'application/merge-patch+json' : 'application/json',
        };
        const options = { agent, hostname, port, path, method, headers };
        const call = httpsRequest(options, (response) => {
          const chunks: Buffer[] = [];
          response.on('data', (chunk: Buffer) => chunks.push(chunk));
          response.on('error', reject);
          response.on('end', () =>
            resolve({
              status: response.statusCode ?? 0,
              text: Buffer.concat(chunks).toString(),
            }),
          );
        });
        call.on('error', reject);
        call.end(body);
      }),
    close: () => agent.destroy(),
  };
}
