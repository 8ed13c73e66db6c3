import type { Environment } from './environment.ts';
import type { Kubectl, KubectlResult } from './kubectl.ts';
import { settledReplicaSets, waitForReplicaSet } from './ownership.ts';
import { type Pins, pinsOf } from './pins.ts';
import { TestImage } from './test-image.ts';
import { createNamespace, type NamespaceLabels } from './test-namespace.ts';
import { podTemplateOf, type StoredObject, type WorkloadOptions, workload } from './workload.ts';

interface Rolled extends Pins {
  readonly revisions: number;
}

/** A Deployment `web` in a namespace of its own, of an image of its own, with its ReplicaSet. */
export class LiveDeployment {
  readonly kubectl: Kubectl;
  readonly image: TestImage;
  readonly #first: StoredObject;

  private constructor(kubectl: Kubectl, image: TestImage, first: StoredObject) {
    this.kubectl = kubectl;
    this.image = image;
    this.#first = first;
  }

  /** Applied by its tag, client-side, in a namespace with these labels. */
  static async apply(
    { kubeconfig, registry }: Pick<Environment, 'kubeconfig' | 'registry'>,
    labels: NamespaceLabels = { mode: 'pin' },
    flags: readonly string[] = [],
  ): Promise<LiveDeployment> {
    const image = await TestImage.ofOnePlatform(registry);
    const kubectl = await createNamespace(kubeconfig, labels);
    await kubectl.apply(workload('Deployment', { image: image.tagged }), ...flags);
    const stored = await kubectl.get<StoredObject>('deployment', 'web');
    await waitForReplicaSet(kubectl, stored);
    return new LiveDeployment(kubectl, image, stored);
  }

  /** As its user has it in a file: by tag. */
  manifest(options: Partial<WorkloadOptions> = {}): object {
    return workload('Deployment', { image: this.image.tagged, ...options });
  }

  stored(): Promise<StoredObject> {
    return this.kubectl.get<StoredObject>('deployment', 'web');
  }

  async pins(): Promise<Pins> {
    return pinsOf(podTemplateOf(await this.stored()));
  }

  /** What runs in the container `web` by its template. */
  async webImage(): Promise<string | undefined> {
    return (await this.pins()).images['web'];
  }

  /** How many ReplicaSets its controller has made of it. */
  async revisions(): Promise<number> {
    return (await settledReplicaSets(this.kubectl, this.#first)).length;
  }

  /** What it is after an edit and a scaling, and what after its user's file was applied again. */
  async editThenApply(): Promise<{ readonly edited: Rolled; readonly applied: Rolled }> {
    await this.kubectl.run(['label', 'deployment', 'web', 'edited=yes']);
    await this.kubectl.run(['scale', 'deployment', 'web', '--replicas=2']);
    const edited = { ...(await this.pins()), revisions: await this.revisions() };
    await this.kubectl.apply(this.manifest());
    return { edited, applied: { ...(await this.pins()), revisions: await this.revisions() } };
  }

  /** Starts a rollout as a person does, on a clock of any time zone. */
  restart(timeZone?: string): Promise<KubectlResult> {
    const options = timeZone === undefined ? {} : { env: { TZ: timeZone } };
    return this.kubectl.run(['rollout', 'restart', 'deployment', 'web'], options);
  }

  async undo(): Promise<void> {
    await this.kubectl.run(['rollout', 'undo', 'deployment', 'web']);
  }

  /** Asks something else of tagpin for its namespace. */
  async changeMode(mode: NonNullable<NamespaceLabels['mode']>): Promise<void> {
    const label = `tagpin.dev/mode=${mode}`;
    await this.kubectl.run([
      'label',
      'namespace',
      this.kubectl.namespace ?? '',
      '--overwrite',
      label,
    ]);
  }

  /** Changes the pod template by a strategic merge patch. */
  async patchTemplate(template: object): Promise<void> {
    const patch = JSON.stringify({ spec: { template } });
    await this.kubectl.run(['patch', 'deployment', 'web', '--patch', patch]);
  }
}
