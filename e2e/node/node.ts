import { globSync, readFileSync, rmdirSync } from 'node:fs';
import { mkdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';

import { binaryPath } from '../support/binaries.ts';
import { type RunningProcess, startProcess } from '../support/child-process.ts';
import type { Environment } from '../support/environment.ts';
import { eventually } from '../support/eventually.ts';
import { Kubectl } from '../support/kubectl.ts';
import { runtimePath } from './runtime.ts';

/** What Pods are bound to: there is no scheduler. */
export const NODE_NAME = 'node1';

/** What the namespace's first process made if it was not there. */
const MOUNT_POINTS = [
  '/run/containerd',
  '/var/lib/kubelet',
  '/var/log/pods',
  '/var/log/containers',
];
const CGROUPS = ['/sys/fs/cgroup/kubepods', '/sys/fs/cgroup/*/kubepods'];

/** A kubelet and a containerd, on this machine and without a trace on it: one process, and a folder. */
export class Node {
  readonly #environment: Environment;
  readonly #sandboxImage: string;
  readonly #state: string;
  readonly #admin: Kubectl;
  #process: RunningProcess | undefined;

  /** @param sandboxImage a reference that a node can pull, of what holds a Pod's namespaces */
  constructor(environment: Environment, sandboxImage: string) {
    this.#environment = environment;
    this.#sandboxImage = sandboxImage;
    this.#state = join(environment.directory, 'node');
    this.#admin = new Kubectl(environment.kubeconfig);
  }

  /** The Node object must never be missing: the controller manager deletes Pods of nodes that are not there. */
  async register(): Promise<void> {
    const node = { apiVersion: 'v1', kind: 'Node', metadata: { name: NODE_NAME } };
    await this.#admin.apply(node);
  }

  /** Starts it with what it has stored; resolves when the API server has it as ready. */
  async start(): Promise<void> {
    await mkdir(join(this.#state, 'cni'), { recursive: true });
    await writeFile(join(this.#state, 'cni', '10-none.conflist'), JSON.stringify(NO_NETWORK));
    await writeFile(join(this.#state, 'containerd.toml'), this.#runtimeConfig());
    // JSON is YAML.
    await writeFile(join(this.#state, 'kubelet.yaml'), JSON.stringify(KUBELET_CONFIG));
    const { directory, kubeconfig } = this.#environment;
    const startedAt = Date.now();
    this.#process = await startProcess({
      name: 'node',
      directory,
      command: 'unshare',
      args: [
        '--mount',
        '--propagation=private',
        '--pid',
        '--fork',
        '--kill-child',
        '--mount-proc',
        'bash',
        join(import.meta.dirname, 'init.sh'),
      ],
      env: {
        STATE: this.#state,
        RUNTIME: await runtimePath(),
        KUBELET: binaryPath('kubelet'),
        KUBECONFIG: kubeconfig,
        NODE_NAME,
      },
      ready: () => this.#requireReady(startedAt),
    });
  }

  /** Ends everything on it at once, as a machine that loses its power; its images are lost too. */
  async lose(): Promise<void> {
    await this.#kill();
    await rm(this.#state, { recursive: true, force: true });
  }

  /** What a container of a Pod has written. */
  async log(namespace: string, pod: string, container: string): Promise<string> {
    const pattern = join(this.#state, 'log', 'pods', `${namespace}_${pod}_*`, container, '0.log');
    const [file = ''] = globSync(pattern);
    // Each line begins with a time, the stream, and F for a full line.
    return (await readFile(file, 'utf8')).replaceAll(/^\S+ std(?:out|err) F /gm, '');
  }

  async #requireReady(startedAt: number): Promise<void> {
    const { status } = await this.#admin.get<NodeObject>('node', NODE_NAME);
    const ready = status.conditions?.find(({ type }) => type === 'Ready');
    // What the last kubelet said stands there until this one speaks.
    const isNew = Date.parse(ready?.lastHeartbeatTime ?? '') >= startedAt - 1000;
    if (ready?.status !== 'True' || !isNew) throw new Error(`not ready: ${ready?.message}`);
  }

  async #kill(): Promise<void> {
    if (this.#process === undefined) return;
    const { pid, stop } = this.#process;
    this.#process = undefined;
    const children = readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8').trim();
    // It ignores everything else while it waits for its child, which dies with it.
    process.kill(pid, 'SIGKILL');
    await stop();
    await eventually(() => requireGone(Number(children)));
    await eventually(removeCgroups);
    for (const path of MOUNT_POINTS) removeIfEmpty(path);
  }

  #runtimeConfig(): string {
    const plugin = 'plugins."io.containerd.grpc.v1.cri"';
    return [
      'version = 2',
      `root = ${JSON.stringify(join(this.#state, 'containerd'))}`,
      `[${plugin}]`,
      `sandbox_image = ${JSON.stringify(this.#sandboxImage)}`,
      // Without CAP_SYS_RESOURCE, as in many virtual machines, every sandbox fails otherwise.
      'restrict_oom_score_adj = true',
      `[${plugin}.cni]`,
      `bin_dir = "/usr/lib/cni"`,
      `conf_dir = ${JSON.stringify(join(this.#state, 'cni'))}`,
      '',
    ].join('\n');
  }
}

interface NodeObject {
  readonly status: {
    readonly conditions?: readonly {
      readonly type: string;
      readonly status: string;
      readonly message: string;
      readonly lastHeartbeatTime: string;
    }[];
  };
}

/** Without any network the node is not ready; Pods of the host's network never use it. */
const NO_NETWORK = { cniVersion: '0.4.0', name: 'none', plugins: [{ type: 'loopback' }] };

const NEVER = '0%';
const KUBELET_CONFIG = {
  apiVersion: 'kubelet.config.k8s.io/v1beta1',
  kind: 'KubeletConfiguration',
  address: '127.0.0.1',
  port: 10350,
  healthzPort: 0,
  containerRuntimeEndpoint: 'unix:///run/containerd/containerd.sock',
  failCgroupV1: false,
  failSwapOn: false,
  cgroupDriver: 'cgroupfs',
  // Chains of the host's packet filter would be made otherwise.
  makeIPTablesUtilChains: false,
  authentication: { anonymous: { enabled: false }, webhook: { enabled: false } },
  authorization: { mode: 'AlwaysAllow' },
  evictionHard: {
    'memory.available': '1Mi',
    'nodefs.available': NEVER,
    'nodefs.inodesFree': NEVER,
    'imagefs.available': NEVER,
    'imagefs.inodesFree': NEVER,
  },
  imageGCHighThresholdPercent: 100,
};

function requireGone(pid: number): void {
  try {
    process.kill(pid, 0);
  } catch {
    return;
  }
  throw new Error(`process ${pid} of the node still lives`);
}

/** All that the kernel keeps of a node: empty groups, innermost first. */
function removeCgroups(): void {
  for (const pattern of CGROUPS) {
    const groups = globSync([pattern, `${pattern}/**/`]);
    for (const group of groups.toSorted((a, b) => b.length - a.length)) rmdirSync(group);
  }
}

function removeIfEmpty(path: string): void {
  try {
    rmdirSync(path);
  } catch {
    // It is the machine's own.
  }
}
