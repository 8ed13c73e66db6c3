import type { RunningProcess } from './child-process.ts';
import type { Environment } from './environment.ts';
import { sumSeries } from './metrics.ts';
import { ON_THIS_MACHINE, readOperations, startServing } from './serving.ts';

/** This checkout's webhook, as a process, at the address that the API server knows. */
export class Webhook {
  readonly #environment: Environment;
  readonly #settings: readonly string[];
  #process: RunningProcess | undefined;

  constructor(environment: Environment, settings: readonly string[] = []) {
    this.#environment = environment;
    this.#settings = settings;
  }

  /** Resolves once `/readyz` says so. */
  async start(): Promise<void> {
    const { directory, webhook, registry, privateRegistry } = this.#environment;
    const { port, operationsPort } = webhook;
    this.#process = await startServing({
      name: `webhook-${port}`,
      directory,
      ports: { port, operationsPort },
      flags: [
        `--tls-cert=${webhook.certificateFile}`,
        `--tls-key=${webhook.keyFile}`,
        `--kubeconfig=${webhook.kubeconfig}`,
        `--plain-http=${registry.host},${privateRegistry.host}`,
        ...ON_THIS_MACHINE,
        ...this.#settings,
      ],
    });
  }

  async stop(): Promise<void> {
    await this.#process?.stop();
    this.#process = undefined;
  }

  /** As a kubelet ends a Pod: it drains for as long as its settings say. Gives how it ended. */
  async terminate(): Promise<number | NodeJS.Signals> {
    this.signal('SIGTERM');
    const how = await this.#process!.ended;
    await this.stop();
    return how;
  }

  signal(name: NodeJS.Signals): void {
    if (this.#process !== undefined) process.kill(this.#process.pid, name);
  }

  /** As a node that dies: nothing is drained, and nothing is written any more. */
  async kill(): Promise<void> {
    this.signal('SIGKILL');
    await this.stop();
  }

  /**
   * The sum of all series of a metric whose labels include the given ones.
   *
   * @throws Error for a metric that does not exist, whose sum would be 0 as well
   */
  async metric(name: string, labels: Readonly<Record<string, string>> = {}): Promise<number> {
    const text = await this.metricsText();
    if (!text.includes(`# TYPE ${name} `)) throw new Error(`There is no metric ${name}`);
    return sumSeries(text, name, labels);
  }

  /** All metrics, in the Prometheus text format. */
  metricsText(): Promise<string> {
    return readOperations(this.#environment.webhook, '/metrics');
  }
}
