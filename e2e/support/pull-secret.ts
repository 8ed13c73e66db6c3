import type { Kubectl } from './kubectl.ts';

/** One account of one registry. */
export interface PullCredential {
  readonly host: string;
  readonly username: string;
  readonly password: string;
}

/** Creates a Secret of type `kubernetes.io/dockerconfigjson`, the way kubectl users do. */
export async function createPullSecret(
  kubectl: Kubectl,
  name: string,
  { host, username, password }: PullCredential,
): Promise<void> {
  await kubectl.run([
    'create',
    'secret',
    'docker-registry',
    name,
    `--docker-server=${host}`,
    `--docker-username=${username}`,
    `--docker-password=${password}`,
  ]);
}
