import { join } from 'node:path';

import type { ControlPlane } from './control-plane.ts';
import { writeKubeconfig } from './kubeconfig.ts';
import { Kubectl } from './kubectl.ts';
import { freePorts, type ServingProcess, startServing } from './serving.ts';

const NAMESPACE = 'tagpin-system';

interface Deployment {
  readonly spec: {
    readonly template: { readonly spec: { readonly containers: readonly { args: string[] }[] } };
  };
}

/** A process in the place of one of tagpin's Pods. */
export type InstalledReplica = ServingProcess;

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
  const { name, directory, controlPlane, certificateAuthority, settings, env = {} } = options;
  const kubectl = new Kubectl(controlPlane.kubeconfig, NAMESPACE);
  const deployment = await kubectl.get<Deployment>('deployment', 'tagpin');
  const [container] = deployment.spec.template.spec.containers;
  const [, ...flags] = container?.args ?? [];
  const token = await kubectl.run(['create', 'token', 'tagpin']);
  const kubeconfig = await writeKubeconfig(join(directory, `${name}.kubeconfig`), {
    url: controlPlane.url,
    certificateAuthority,
    token: token.stdout.trim(),
  });
  return startServing({
    name,
    directory,
    ports: await freePorts(),
    flags: [
      ...flags.filter((flag) => !/^--(operations-|debug-)?listen=/.test(flag)),
      `--kubeconfig=${kubeconfig}`,
      ...settings,
    ],
    env,
  });
}
