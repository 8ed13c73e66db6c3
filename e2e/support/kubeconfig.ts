import { writeFile } from 'node:fs/promises';

import type { KeyPair } from './certificate.ts';

/** Which server, and as whom: a client certificate or a bearer token. */
export interface KubeconfigOptions {
  readonly url: string;
  readonly certificateAuthority: string;
  readonly client?: KeyPair;
  readonly token?: string;
}

/** Writes a kubeconfig of one cluster and one user, and gives its path. */
export async function writeKubeconfig(path: string, options: KubeconfigOptions): Promise<string> {
  const { client, token } = options;
  const user =
    client === undefined
      ? { token }
      : {
          'client-certificate-data': base64(client.certificate),
          'client-key-data': base64(client.key),
        };
  const config = {
    apiVersion: 'v1',
    kind: 'Config',
    'current-context': 'e2e',
    contexts: [{ name: 'e2e', context: { cluster: 'e2e', user: 'e2e' } }],
    clusters: [
      {
        name: 'e2e',
        cluster: {
          server: options.url,
          'certificate-authority-data': base64(options.certificateAuthority),
        },
      },
    ],
    users: [{ name: 'e2e', user }],
  };
  await writeFile(path, JSON.stringify(config), { mode: 0o600 });
  return path;
}

function base64(text: string): string {
  return Buffer.from(text).toString('base64');
}
