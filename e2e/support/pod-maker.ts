import { type ApiServer, connectTo } from './api-server.ts';
import type { Kubectl } from './kubectl.ts';

/** How much was made until now. */
export interface Made {
  readonly pinned: number;
  readonly unpinned: number;
  /** What the API server said instead. */
  readonly failures: readonly string[];
}

/** Creates one Pod after the other in one namespace, each by the same tag, for as long as a test lasts. */
export class PodMaker {
  readonly #api: ApiServer;
  readonly #path: string;
  readonly #pod: string;
  readonly #done: Promise<void>;
  #pinned = 0;
  #unpinned = 0;
  readonly #failures: string[] = [];
  #isStopped = false;

  constructor({ kubeconfig, namespace }: Kubectl, image: string) {
    this.#api = connectTo(kubeconfig, 1);
    this.#path = `/api/v1/namespaces/${namespace}/pods`;
    const spec = { containers: [{ name: 'web', image }] };
    this.#pod = JSON.stringify({
      apiVersion: 'v1',
      kind: 'Pod',
      metadata: { generateName: 'made-' },
      spec,
    });
    this.#done = this.#make();
  }

  get made(): Made {
    const failures = [...this.#failures];
    return { pinned: this.#pinned, unpinned: this.#unpinned, failures };
  }

  async stop(): Promise<Made> {
    this.#isStopped = true;
    await this.#done;
    this.#api.close();
    return this.made;
  }

  async #make(): Promise<void> {
    while (!this.#isStopped) {
      try {
        const { status, text } = await this.#api.send('POST', this.#path, this.#pod);
        if (status !== 201) this.#failures.push(text);
        else if (imageOf(text).includes('@')) this.#pinned += 1;
        else this.#unpinned += 1;
      } catch (error) {
        this.#failures.push(String(error));
      }
    }
  }
}

function imageOf(body: string): string {
  const { spec } = JSON.parse(body) as { spec: { containers: { image: string }[] } };
  return spec.containers[0]?.image ?? '';
}
