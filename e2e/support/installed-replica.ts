import { join } from 'node:path';

import { type RunningProcess, startProcess } from './child-process.ts';
import type { ControlPlane } from './control-plane.ts';
import { freePort } from './free-port.ts';
import { writeKubeconfig } from './kubeconfig.ts';
import { Kubectl } from './kubectl.ts';

const MAIN = join(import.meta.dirname, '..', '..', 'src', 'main.ts');
const NAMESPACE = 'tagpin-system';

interface Deployment {
  readonly spec: {
    readonly template: { readonly spec: { readonly containers: readonly { args: string[] }[] } };
  };
}

/** A process in the place of one of tagpin's Pods. */
export interface InstalledReplica extends RunningProcess {
  readonly port: number;
  readonly operationsPort: number;
}

export interface ReplicaOptions {
  readonly name: string;
  /** Of its log. */
  readonly directory: string;
  readonly controlPlane: ControlPlane;
  /** The PEM of the authority that signed the API server's certificate. */
  readonly certificateAuthority: string;
  /** Beside those of the Deployment. */
  readonly settings: readonly string[];
  readonly env?: Readonly<Record<string, string>>;
}

/**
 * Starts what the Deployment `tagpin` describes, with its flags and the rights of its ServiceAccount,
 * on ports of its own, and waits until it is ready.
 */
export async function startInstalledReplica(options: ReplicaOptions): Promise<InstalledReplica> {
  const { name, directory, controlPlane, certificateAuthority, settings, env } = options;
  const kubectl = new Kubectl(controlPlane.kubeconfig, NAMESPACE);
  const deployment = await kubectl.get<Deployment>('deployment', 'tagpin');
  const [container] = deployment.spec.template.spec.containers;
  const [command = '', ...flags] = container?.args ?? [];
  const token = await kubectl.run(['create', 'token', 'tagpin']);
  const kubeconfig = await writeKubeconfig(join(directory, `${name}.kubeconfig`), {
    url: controlPlane.url,
    certificateAuthority,
    token: token.stdout.trim(),
  });
  const [port, operationsPort] = [await freePort(), await freePort()];
  const running = await startProcess({
    name,
    directory,
    command: process.execPath,
    args: [
      MAIN,
      command,
      ...flags.filter((flag) => !/^--(operations-)?listen=/.test(flag)),
      `--listen=127.0.0.1:${port}`,
      `--operations-listen=127.0.0.1:${operationsPort}`,
      '--debug-listen=off',
      `--kubeconfig=${kubeconfig}`,
      ...settings,
    ],
    ...(env === undefined ? {} : { env }),
    ready: async () => {
      const response = await fetch(`http://127.0.0.1:${operationsPort}/readyz`);
      if (!response.ok) throw new Error(await response.text());
    },
  });
  return { ...running, port, operationsPort };
}
