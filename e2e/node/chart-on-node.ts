import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';

import { createCertificateAuthority } from '../support/certificate.ts';
import { stopAll } from '../support/child-process.ts';
import { startControlPlane } from '../support/control-plane.ts';
import type { Environment } from '../support/environment.ts';
import { freePort } from '../support/free-port.ts';
import { helm } from '../support/helm.ts';
import { Kubectl } from '../support/kubectl.ts';
import { CHART } from '../support/rendered.ts';
import { NODE_NAME, Node } from './node.ts';
import { runnableImage } from './runnable-image.ts';

const NAMESPACE = 'tagpin-system';

/** In the place of a scheduler, and of a network for Pods: those of tagpin get the node and its network. */
const PLACEMENT = {
  apiVersion: 'admissionregistration.k8s.io/v1',
  kind: 'MutatingAdmissionPolicy',
  metadata: { name: 'placement' },
  spec: {
    failurePolicy: 'Fail',
    reinvocationPolicy: 'Never',
    matchConstraints: {
      namespaceSelector: { matchLabels: { 'kubernetes.io/metadata.name': NAMESPACE } },
      resourceRules: [
        { apiGroups: [''], apiVersions: ['v1'], operations: ['CREATE'], resources: ['pods'] },
      ],
    },
    mutations: [
      {
        patchType: 'ApplyConfiguration',
        applyConfiguration: {
          expression: `Object{spec: Object.spec{nodeName: "${NODE_NAME}", hostNetwork: true}}`,
        },
      },
    ],
  },
};

const PLACEMENT_BINDING = {
  apiVersion: 'admissionregistration.k8s.io/v1',
  kind: 'MutatingAdmissionPolicyBinding',
  metadata: { name: 'placement' },
  spec: { policyName: 'placement' },
};

/** A control plane and a node of its own, on which the chart runs an image. */
export class ChartOnNode implements AsyncDisposable {
  readonly kubectl: Kubectl;
  readonly #directory: string;
  readonly #node: Node;
  readonly #registryHost: string;
  readonly #apiServer: URL;

  private constructor(environment: Environment, node: Node, apiServer: URL) {
    this.kubectl = new Kubectl(environment.kubeconfig);
    this.#directory = environment.directory;
    this.#node = node;
    this.#registryHost = environment.registry.host;
    this.#apiServer = apiServer;
  }

  static async start(environment: Environment): Promise<ChartOnNode> {
    const directory = join(environment.directory, 'chart');
    await mkdir(directory);
    const authority = await createCertificateAuthority();
    const { kubeconfig, url } = await startControlPlane(directory, authority);
    const own = { ...environment, directory, kubeconfig };
    const sandbox = await runnableImage(environment.registry);
    const node = new Node(own, sandbox.tagged);
    const chart = new ChartOnNode(own, node, new URL(url));
    await chart.#prepare();
    await node.register();
    await node.start();
    return chart;
  }

  async #prepare(): Promise<void> {
    const items = [
      { apiVersion: 'v1', kind: 'Namespace', metadata: { name: NAMESPACE } },
      PLACEMENT,
      PLACEMENT_BINDING,
    ];
    await this.kubectl.apply({ apiVersion: 'v1', kind: 'List', items });
  }

  /** Installs the chart with one replica, and waits until the node has it ready. */
  async install(repository: string, tag: string): Promise<void> {
    const port = await freePort();
    const values = {
      image: { repository, tag },
      replicas: 1,
      hostNetwork: true,
      webhook: { port, url: `https://127.0.0.1:${port}` },
      operationsPort: await freePort(),
      // There are no Services here, by which it would find the API server.
      env: [
        { name: 'KUBERNETES_SERVICE_HOST', value: this.#apiServer.hostname },
        { name: 'KUBERNETES_SERVICE_PORT', value: this.#apiServer.port },
      ],
      settings: { 'plain-http': [this.#registryHost], 'allow-address': ['127.0.0.0/8'] },
    };
    const file = join(this.#directory, 'values.json');
    await writeFile(file, JSON.stringify(values));
    await this.#helm('install', 'tagpin', CHART, `--values=${file}`);
    const rollout = ['rollout', 'status', 'deployment/tagpin', `--namespace=${NAMESPACE}`];
    await this.kubectl.run([...rollout, '--timeout=240s']);
  }

  /** What `helm test` says. */
  test(): Promise<string> {
    return this.#helm('test', 'tagpin');
  }

  async #helm(...args: readonly string[]): Promise<string> {
    const where = [`--kubeconfig=${this.kubectl.kubeconfig}`, `--namespace=${NAMESPACE}`];
    return helm([...args, ...where], this.#directory);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#node.lose();
    await stopAll(this.#directory);
  }
}
