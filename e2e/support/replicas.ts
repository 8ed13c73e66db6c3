import { Balancer } from './balancer.ts';
import type { Environment } from './environment.ts';
import { freePorts, type Ports } from './serving.ts';
import { Webhook } from './webhook.ts';

/** One of several, at ports of its own. */
export class Replica extends Webhook {
  readonly port: number;

  constructor(environment: Environment, ports: Ports, settings: string[]) {
    super({ ...environment, webhook: { ...environment.webhook, ...ports } }, settings);
    this.port = ports.port;
  }
}

/** A Deployment and its Service: replicas behind the address that the API server knows. */
export class Replicas {
  readonly #environment: Environment;
  readonly #settings: string[];
  readonly #balancer: Balancer;
  readonly #all: Replica[] = [];
  #endpoints: readonly Replica[] = [];
  #favourite: Replica | undefined;
  #connections = 0;

  private constructor(environment: Environment, settings: string[]) {
    this.#environment = environment;
    this.#settings = settings;
    this.#balancer = new Balancer(() => {
      this.#connections += 1;
      const next = this.#favourite === undefined ? this.#endpoints : [this.#favourite];
      return next.map(({ port }) => port);
    });
  }

  static async start(
    environment: Environment,
    count: number,
    settings: string[],
  ): Promise<Replicas> {
    const replicas = new Replicas(environment, settings);
    await replicas.#balancer.listen(environment.webhook.port);
    await Promise.all(Array.from({ length: count }, () => replicas.add()));
    return replicas;
  }

  /** Those that calls are sent to. */
  get endpoints(): readonly Replica[] {
    return this.#endpoints;
  }

  /** One more, which is an endpoint once it is ready. */
  async add(): Promise<Replica> {
    const replica = new Replica(this.#environment, await freePorts(), this.#settings);
    this.#all.push(replica);
    await replica.start();
    this.#endpoints = [...this.#endpoints, replica];
    return replica;
  }

  /**
   * Every new connection goes to this one, until it is withdrawn: the worst that chance can do. Gives
   * what counts them.
   */
  favour(replica: Replica): () => number {
    this.#favourite = replica;
    const before = this.#connections;
    return () => this.#connections - before;
  }

  /** No connection is made to it from now on; those that stand stay, as kube-proxy has it. */
  withdraw(replica: Replica): void {
    if (this.#favourite === replica) this.#favourite = undefined;
    this.#endpoints = this.#endpoints.filter((one) => one !== replica);
  }

  async stop(): Promise<void> {
    await Promise.all(this.#all.map((replica) => replica.kill()));
    await this.#balancer.close();
  }
}
