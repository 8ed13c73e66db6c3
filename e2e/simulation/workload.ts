import type { Agenda } from './agenda.ts';
import type { ApiServer, Kind } from './cluster.ts';

type Json = Readonly<Record<string, unknown>>;

/** The part of a pod template that matters here. */
interface Template {
  readonly metadata: {
    readonly labels: Readonly<Record<string, string>>;
    readonly annotations?: Readonly<Record<string, string>>;
  };
  readonly spec: {
    readonly imagePullSecrets?: readonly Json[];
    readonly containers: readonly { readonly name: string; readonly image: string }[];
  };
}

/** Where a workload runs, and with what. */
export interface Place {
  readonly api: ApiServer;
  readonly agenda: Agenda;
  readonly namespace: string;
  /** False in a namespace with `tagpin.dev/level: pods`: tagpin is not asked for templates. */
  readonly isPinned: boolean;
  readonly hasPullSecret: boolean;
}

const POD: Kind = { group: '', kind: 'Pod' };
const DEPLOYMENT: Kind = { group: 'apps', kind: 'Deployment' };
const CRON_JOB: Kind = { group: 'batch', kind: 'CronJob' };
const JOB: Kind = { group: 'batch', kind: 'Job' };

/** The Pods of a rollout come within this time. */
const ROLLOUT_MS = 120_000;

type Done = unknown;

/** A Deployment. Every step gives a promise where a webhook had to ask a registry. */
export class Deployment {
  readonly #place: Place;
  readonly #name: string;
  readonly #replicas: number;
  #images: readonly string[];
  #stored: Template | undefined;
  #revision = 0;

  constructor(place: Place, of: { name: string; replicas: number; images: readonly string[] }) {
    this.#place = place;
    this.#name = of.name;
    this.#replicas = of.replicas;
    this.#images = of.images;
  }

  /** All its replicas run at once; the webhook is asked for the first. */
  create(): Done {
    return this.#write(templateOf(this.#place, this.#name, this.#images), () =>
      this.#startPod(this.#replicas),
    );
  }

  /** A replica in place of another that has gone. */
  replacePod(): Done {
    return this.#stored && this.#startPod(1);
  }

  /** Somebody applies it with another tag. */
  rollOut(): Done {
    const [first = '', ...others] = this.#images;
    this.#images = [first.replace(/:[^:]*$/, `:${this.#name}-${this.#revision + 1}`), ...others];
    return this.#stored && this.#write(this.#applied(this.#stored), () => this.#rollPods());
  }

  /** `kubectl rollout restart`. */
  restart(): Done {
    const stored = this.#stored;
    if (stored === undefined) return undefined;
    const restartedAt = `at ${this.#place.agenda.now()}`;
    const annotations = {
      ...stored.metadata.annotations,
      'kubectl.kubernetes.io/restartedAt': restartedAt,
    };
    const template = { ...stored, metadata: { ...stored.metadata, annotations } };
    return this.#write(template, () => this.#rollPods());
  }

  /** The same file once more. */
  apply(): Done {
    return this.#stored && this.#write(this.#applied(this.#stored), () => {});
  }

  /** Its tags, as the file has them, and everything else as it is stored. */
  #applied({ metadata, spec }: Template): Template {
    return { metadata, spec: { ...spec, containers: containersOf(this.#images) } };
  }

  #write(template: Template, then: () => Done): Done {
    const { api, namespace, isPinned } = this.#place;
    const objectOf = (of: Template): Json => ({
      metadata: { name: this.#name },
      spec: { template: of },
    });
    const store = (object: Json): Done => {
      this.#stored = (object['spec'] as { readonly template: Template }).template;
      return then();
    };
    const object = objectOf(template);
    if (!isPinned) return store(object);
    const old = this.#stored;
    const write = { namespace, object, ...(old && { oldObject: objectOf(old) }) };
    return api.write(DEPLOYMENT, write, store);
  }

  #rollPods(): void {
    const { api, agenda } = this.#place;
    api.forgetPods(this.#selector());
    this.#revision += 1;
    for (let n = 0; n < this.#replicas; n += 1) {
      agenda.at(agenda.now() + (n * ROLLOUT_MS) / this.#replicas, () => this.#startPod(1));
    }
  }

  #hash(): string {
    return `${this.#name}-${this.#revision}`;
  }

  #selector(): string {
    return `pod-template-hash=${this.#hash()}`;
  }

  /** One review, and so many Pods that look like what came of it. */
  #startPod(copies: number): Done {
    const { api, namespace } = this.#place;
    if (this.#stored === undefined) return undefined;
    const selector = this.#selector();
    const labels = { 'pod-template-hash': this.#hash() };
    const owner = { apiVersion: 'apps/v1', kind: 'ReplicaSet', name: this.#hash() };
    const object = podOf(this.#stored, { labels, owner });
    return api.write(POD, { namespace, object }, (pod) => {
      for (let n = 0; n < copies; n += 1) api.keepPod(selector, pod, this.#replicas);
    });
  }
}

/** A CronJob: the Jobs that it makes are its own, and tagpin is asked for their Pods alone. */
export class CronJob {
  readonly #place: Place;
  readonly #name: string;
  readonly #images: readonly string[];
  #stored: Template | undefined;
  #runs = 0;

  constructor(place: Place, of: { name: string; images: readonly string[] }) {
    this.#place = place;
    this.#name = of.name;
    this.#images = of.images;
  }

  create(): Done {
    const { api, namespace, isPinned } = this.#place;
    const template = templateOf(this.#place, this.#name, this.#images);
    const object = {
      metadata: { name: this.#name },
      spec: { jobTemplate: { spec: { template } } },
    };
    const store = (stored: Json): void => {
      this.#stored = (stored as typeof object).spec.jobTemplate.spec.template;
    };
    return isPinned ? api.write(CRON_JOB, { namespace, object }, store) : store(object);
  }

  run(): Done {
    this.#runs += 1;
    const job = `${this.#name}-${this.#runs}`;
    return this.#stored && startJobPod(this.#place, job, this.#stored);
  }
}

/** A Job that somebody makes: a pipeline, a person, an operator. Its template is always new. */
export function runOwnJob(place: Place, of: { name: string; images: readonly string[] }): Done {
  const { api, namespace, isPinned } = place;
  const template = templateOf(place, of.name, of.images);
  if (!isPinned) return startJobPod(place, of.name, template);
  const object = { metadata: { name: of.name }, spec: { template } };
  return api.write(JOB, { namespace, object }, (stored) =>
    startJobPod(place, of.name, (stored as typeof object).spec.template),
  );
}

function startJobPod({ api, namespace }: Place, job: string, template: Template): Done {
  const labels = { 'batch.kubernetes.io/controller-uid': job };
  const owner = { apiVersion: 'batch/v1', kind: 'Job', name: job };
  const object = podOf(template, { labels, owner });
  // Its Pod is gone before anybody could ask for it.
  return api.write(POD, { namespace, object }, () => {});
}

function podOf(
  { metadata, spec }: Template,
  of: { readonly labels: Json; readonly owner: { readonly name: string } & Json },
): Json {
  const { name } = of.owner;
  return {
    metadata: {
      ...metadata,
      generateName: `${name}-`,
      labels: { ...metadata.labels, ...of.labels },
      ownerReferences: [{ ...of.owner, uid: name, controller: true }],
    },
    spec,
  };
}

function templateOf({ hasPullSecret }: Place, name: string, images: readonly string[]): Template {
  const containers = containersOf(images);
  const spec = hasPullSecret
    ? { imagePullSecrets: [{ name: PULL_SECRET }], containers }
    : { containers };
  return { metadata: { labels: { app: name } }, spec };
}

export const PULL_SECRET = 'company';

function containersOf(images: readonly string[]): Template['spec']['containers'] {
  return images.map((image, n) => ({ name: `container-${n}`, image }));
}
