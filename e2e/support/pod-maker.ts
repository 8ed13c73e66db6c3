import { readFileSync } from 'node:fs';
import { Agent, request } from 'node:https';
import { text } from 'node:stream/consumers';

import type { Kubectl } from './kubectl.ts';

interface Admin {
  readonly clusters: readonly { readonly cluster: Readonly<Record<string, string>> }[];
  readonly users: readonly { readonly user: Readonly<Record<string, string>> }[];
}

/** How much was made until now. */
export interface Made {
  readonly pinned: number;
  readonly unpinned: number;
  /** What the API server said instead. */
  readonly failures: readonly string[];
}

/** Creates one Pod after the other in one namespace, each by the same tag, for as long as a test lasts. */
export class PodMaker {
  readonly #agent: Agent;
  readonly #url: string;
  readonly #image: string;
  readonly #done: Promise<void>;
  #pinned = 0;
  #unpinned = 0;
  readonly #failures: string[] = [];
  #isStopped = false;

  constructor({ kubeconfig, namespace }: Kubectl, image: string) {
    const { clusters, users } = JSON.parse(readFileSync(kubeconfig, 'utf8')) as Admin;
    const [cluster = {}, user = {}] = [clusters[0]?.cluster, users[0]?.user];
    this.#agent = new Agent({
      ca: decoded(cluster['certificate-authority-data']),
      cert: decoded(user['client-certificate-data']),
      key: decoded(user['client-key-data']),
      keepAlive: true,
    });
    this.#url = `${cluster['server']}/api/v1/namespaces/${namespace}/pods`;
    this.#image = image;
    this.#done = this.#make();
  }

  get made(): Made {
    const failures = [...this.#failures];
    return { pinned: this.#pinned, unpinned: this.#unpinned, failures };
  }

  async stop(): Promise<Made> {
    this.#isStopped = true;
    await this.#done;
    this.#agent.destroy();
    return this.made;
  }

  async #make(): Promise<void> {
    while (!this.#isStopped) {
      try {
        const { status, body } = await this.#post();
        if (status !== 201) this.#failures.push(body);
        else if (imageOf(body).includes('@')) this.#pinned += 1;
        else this.#unpinned += 1;
      } catch (error) {
        this.#failures.push(String(error));
      }
    }
  }

  #post(): Promise<{ readonly status: number; readonly body: string }> {
    const spec = { containers: [{ name: 'web', image: this.#image }] };
    const pod = { apiVersion: 'v1', kind: 'Pod', metadata: { generateName: 'made-' }, spec };
    return new Promise((resolve, reject) => {
      const headers = { 'content-type': 'application/json' };
      const call = request(
        this.#url,
        { agent: this.#agent, method: 'POST', headers },
        (response) => {
          const status = response.statusCode ?? 0;
          text(response).then((body) => resolve({ status, body }), reject);
        },
      );
      call.once('error', reject);
      call.end(JSON.stringify(pod));
    });
  }
}

function decoded(data: string = ''): string {
  return Buffer.from(data, 'base64').toString();
}

function imageOf(body: string): string {
  const { spec } = JSON.parse(body) as { spec: { containers: { image: string }[] } };
  return spec.containers[0]?.image ?? '';
}
