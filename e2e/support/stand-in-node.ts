import { setTimeout as delay } from 'node:timers/promises';

import { binaryPath } from './binaries.ts';
import { type RunningProcess, startProcess } from './child-process.ts';
import { freePort } from './free-port.ts';

interface Pod {
  readonly metadata: {
    readonly namespace: string;
    readonly name: string;
    readonly labels?: Readonly<Record<string, string>>;
    readonly deletionTimestamp?: string;
  };
  readonly status: { readonly conditions?: readonly { readonly type: string }[] };
}

/** Does for Pods that are called tagpin what a node does. */
export interface Server {
  readonly start: () => Promise<void>;
  readonly stop: () => Promise<void>;
}

export interface StandInNodeOptions {
  readonly directory: string;
  readonly kubeconfig: string;
  readonly server: Server;
}

/**
 * Stands where a cluster has nodes: says of each Pod that it is ready, and has a server run for as
 * long as there is a Pod of tagpin. Pods are bound to no node, so the API server deletes them at once.
 */
export class StandInNode {
  readonly #origin: string;
  readonly #server: Server;
  readonly #proxy: RunningProcess;
  #runs = false;
  #pass: Promise<void> = Promise.resolve();
  #isStopped = false;
  readonly #loop: Promise<void>;

  private constructor(origin: string, server: Server, proxy: RunningProcess) {
    this.#origin = origin;
    this.#server = server;
    this.#proxy = proxy;
    this.#loop = this.#repeat();
    // What it could not do is told by settle() and stop().
    this.#loop.catch(() => {});
  }

  static async start({ directory, kubeconfig, server }: StandInNodeOptions): Promise<StandInNode> {
    const port = await freePort();
    const origin = `http://127.0.0.1:${port}`;
    const proxy = await startProcess({
      name: 'kubectl-proxy',
      directory,
      command: binaryPath('kubectl'),
      args: [`--kubeconfig=${kubeconfig}`, 'proxy', `--port=${port}`],
      ready: async () => void (await fetch(`${origin}/readyz`)),
    });
    return new StandInNode(origin, server, proxy);
  }

  /** Resolves once it has seen everything that there is now. */
  async settle(): Promise<void> {
    await this.#pass;
    await this.#look();
  }

  /** @throws what it could not do */
  async stop(): Promise<void> {
    this.#isStopped = true;
    try {
      await this.#loop;
    } finally {
      if (this.#runs) await this.#server.stop();
      await this.#proxy.stop();
    }
  }

  async #repeat(): Promise<void> {
    while (!this.#isStopped) {
      await this.settle();
      await delay(100);
    }
  }

  /** One look at a time. */
  #look(): Promise<void> {
    this.#pass = this.#pass.then(() => this.#lookOnce());
    return this.#pass;
  }

  async #lookOnce(): Promise<void> {
    const { items } = (await this.#ask('/api/v1/pods')) as { readonly items: readonly Pod[] };
    const pods = items.filter(({ metadata }) => metadata.deletionTimestamp === undefined);
    const wanted = pods.some(
      ({ metadata: { namespace, labels } }) =>
        namespace === 'tagpin-system' && labels?.['app.kubernetes.io/name'] === 'tagpin',
    );
    if (wanted !== this.#runs) {
      await (wanted ? this.#server.start() : this.#server.stop());
      this.#runs = wanted;
    }
    for (const pod of pods.filter((one) => !isReady(one))) await this.#makeReady(pod);
  }

  async #makeReady({ metadata: { namespace, name } }: Pod): Promise<void> {
    const status = { phase: 'Running', conditions: [{ type: 'Ready', status: 'True' }] };
    await this.#ask(`/api/v1/namespaces/${namespace}/pods/${name}/status`, {
      method: 'PATCH',
      headers: { 'content-type': 'application/strategic-merge-patch+json' },
      body: JSON.stringify({ status }),
    });
  }

  async #ask(path: string, init: RequestInit = {}): Promise<unknown> {
    const response = await fetch(`${this.#origin}${path}`, init);
    // A Pod may be gone meanwhile.
    if (!response.ok && response.status !== 404) throw new Error(`${path}: ${response.status}`);
    return response.json();
  }
}

function isReady({ status }: Pod): boolean {
  return status.conditions?.some(({ type }) => type === 'Ready') === true;
}
