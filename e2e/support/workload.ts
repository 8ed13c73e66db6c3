/** The kinds that hold a pod template. */
export const TEMPLATE_KINDS = [
  'PodTemplate',
  'ReplicationController',
  'Deployment',
  'ReplicaSet',
  'StatefulSet',
  'DaemonSet',
  'Job',
  'CronJob',
] as const;

/** These, and the Pod itself. */
export type WorkloadKind = 'Pod' | (typeof TEMPLATE_KINDS)[number];

/** As much of a pod template as is read here. */
export interface PodTemplate {
  readonly metadata?: {
    readonly annotations?: Readonly<Record<string, string>>;
    readonly labels?: Readonly<Record<string, string>>;
  };
  readonly spec: {
    readonly containers: readonly Container[];
    readonly initContainers?: readonly Container[];
    readonly ephemeralContainers?: readonly Container[];
    readonly volumes?: readonly { readonly name: string; readonly image?: { reference: string } }[];
  };
}

interface Container {
  readonly name: string;
  readonly image: string;
}

/** As much of a stored object as is read here. */
export interface StoredObject {
  readonly metadata: {
    readonly name: string;
    readonly uid: string;
    readonly generation: number;
    readonly resourceVersion: string;
    readonly annotations?: Readonly<Record<string, string>>;
    readonly ownerReferences?: readonly { readonly uid: string }[];
  };
  readonly spec: {
    readonly template?: PodTemplate;
    readonly jobTemplate?: { readonly spec: { readonly template: PodTemplate } };
  };
  readonly template?: PodTemplate;
}

/** What goes into a workload. */
export interface WorkloadOptions {
  readonly name?: string;
  /** Of the container `web`. */
  readonly image: string;
  /** More of the pod spec. */
  readonly podSpec?: object;
  /** Of the pod template; a Pod's own. */
  readonly annotations?: Readonly<Record<string, string>>;
  readonly replicas?: number;
}

const LABELS = { app: 'web' };

type Build = (template: object, replicas: number) => object;

const SHAPES: Readonly<Record<WorkloadKind, { apiVersion: string; build: Build }>> = {
  Pod: { apiVersion: 'v1', build: (template) => template },
  PodTemplate: { apiVersion: 'v1', build: (template) => ({ template }) },
  ReplicationController: {
    apiVersion: 'v1',
    build: (template, replicas) => ({ spec: { replicas, selector: LABELS, template } }),
  },
  Deployment: { apiVersion: 'apps/v1', build: replicated },
  ReplicaSet: { apiVersion: 'apps/v1', build: replicated },
  StatefulSet: { apiVersion: 'apps/v1', build: replicated },
  DaemonSet: {
    apiVersion: 'apps/v1',
    build: (template) => ({ spec: { selector: { matchLabels: LABELS }, template } }),
  },
  Job: { apiVersion: 'batch/v1', build: (template) => ({ spec: { template } }) },
  CronJob: {
    apiVersion: 'batch/v1',
    // The 31st of February: only `kubectl create job --from` ever starts it.
    build: (template) => ({
      spec: { schedule: '0 0 31 2 *', jobTemplate: { spec: { template } } },
    }),
  },
};

/** An object of this kind, ready to be applied. */
export function workload(kind: WorkloadKind, options: WorkloadOptions): object {
  const { name = 'web', image, podSpec, annotations, replicas = 1 } = options;
  const isJob = kind === 'Job' || kind === 'CronJob';
  const spec = {
    containers: [{ name: 'web', image }],
    // Nothing runs here, so nothing needs time to end.
    terminationGracePeriodSeconds: 0,
    tolerations: [{ operator: 'Exists' }],
    ...(isJob && { restartPolicy: 'Never' }),
    ...podSpec,
  };
  const { apiVersion, build } = SHAPES[kind];
  const metadata = { labels: LABELS, ...(annotations !== undefined && { annotations }) };
  const body = build({ metadata, spec }, replicas);
  const own = kind === 'Pod' ? metadata : { labels: LABELS };
  return { apiVersion, kind, ...body, metadata: { ...own, name } };
}

/** The same with a selector of its own, for workloads that share a namespace. */
export function workloadOfMany(
  kind: WorkloadKind,
  options: WorkloadOptions & { readonly name: string },
): object {
  const text = JSON.stringify(workload(kind, options));
  return JSON.parse(text.replaceAll('"app":"web"', `"app":"${options.name}"`)) as object;
}

function replicated(template: object, replicas: number): object {
  return { spec: { replicas, selector: { matchLabels: LABELS }, template } };
}

/**
 * The pod template of an object, wherever its kind keeps it; a Pod is its own.
 *
 * @throws Error for an object that has none
 */
export function podTemplateOf(object: object): PodTemplate {
  const { spec, template } = object as Partial<StoredObject>;
  const found = spec?.template ?? spec?.jobTemplate?.spec.template ?? template ?? object;
  if (!isPodTemplate(found)) throw new Error('The object has no pod template');
  return found;
}

function isPodTemplate(value: object): value is PodTemplate {
  return 'spec' in value && typeof value.spec === 'object' && 'containers' in (value.spec ?? {});
}
