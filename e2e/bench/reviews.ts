/** What the API server sends about one object, with fields enough for its size. */
interface Subject {
  readonly kind: string;
  /** `apps`, or nothing for the core group. */
  readonly group?: string;
  readonly resource: string;
  readonly operation?: 'CREATE' | 'UPDATE';
  readonly namespace?: string;
  readonly object: unknown;
  readonly oldObject?: unknown;
}

/** An AdmissionReview of it. */
export function reviewOf(subject: Subject): unknown {
  const { kind, group = '', resource, operation = 'CREATE', namespace = 'bench' } = subject;
  const what = { group, version: 'v1', kind };
  const where = { group, version: 'v1', resource };
  return {
    apiVersion: 'admission.k8s.io/v1',
    kind: 'AdmissionReview',
    request: {
      uid: '705ab4f5-6393-11e8-b7cc-42010a800002',
      kind: what,
      resource: where,
      requestKind: what,
      requestResource: where,
      namespace,
      operation,
      userInfo: {
        username: 'system:serviceaccount:kube-system:replicaset-controller',
        groups: ['system:authenticated'],
      },
      object: subject.object,
      oldObject: subject.oldObject ?? null,
      dryRun: false,
      options: { kind: 'CreateOptions', apiVersion: 'meta.k8s.io/v1' },
    },
  };
}

type Metadata = Readonly<Record<string, unknown>>;

/** The review of a new Pod: of three images, some 3 KB. */
export function podReview(images: readonly string[], metadata?: Metadata): unknown {
  return reviewOf({ kind: 'Pod', resource: 'pods', object: podOf(images, metadata) });
}

/**
 * A Pod of nobody: one that a controller made would get the digests of its siblings, without a look
 * into the cache.
 */
export function podOf(images: readonly string[], metadata: Metadata = {}): unknown {
  return {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: {
      generateName: 'shop-5d9c7b8f6d-',
      labels: { app: 'shop', 'pod-template-hash': '5d9c7b8f6d' },
      ...metadata,
    },
    spec: specOf(images),
    status: {},
  };
}

/** Makes it one of a ReplicaSet's. */
export const OF_A_REPLICA_SET: Metadata = {
  ownerReferences: [
    {
      apiVersion: 'apps/v1',
      kind: 'ReplicaSet',
      name: 'shop-5d9c7b8f6d',
      uid: '0d9a1f0e-6393-11e8-b7cc-42010a800002',
      controller: true,
      blockOwnerDeletion: true,
    },
  ],
};

/** A Deployment whose template runs these images. */
export function deploymentOf(images: readonly string[]): unknown {
  return {
    apiVersion: 'apps/v1',
    kind: 'Deployment',
    metadata: { name: 'shop', labels: { app: 'shop' } },
    spec: {
      replicas: 3,
      revisionHistoryLimit: 10,
      progressDeadlineSeconds: 600,
      strategy: {
        type: 'RollingUpdate',
        rollingUpdate: { maxSurge: '25%', maxUnavailable: '25%' },
      },
      selector: { matchLabels: { app: 'shop' } },
      template: { metadata: { labels: { app: 'shop' } }, spec: specOf(images) },
    },
    status: {},
  };
}

function specOf(images: readonly string[]): unknown {
  return {
    containers: images.map(containerOf),
    volumes: [
      {
        name: 'token',
        projected: {
          sources: [{ serviceAccountToken: { expirationSeconds: 3607, path: 'token' } }],
        },
      },
    ],
    restartPolicy: 'Always',
    terminationGracePeriodSeconds: 30,
    dnsPolicy: 'ClusterFirst',
    serviceAccountName: 'default',
    securityContext: {},
    schedulerName: 'default-scheduler',
    tolerations: [
      {
        key: 'node.kubernetes.io/not-ready',
        operator: 'Exists',
        effect: 'NoExecute',
        tolerationSeconds: 300,
      },
    ],
  };
}

function containerOf(image: string, index: number): unknown {
  return {
    name: `container-${index}`,
    image,
    imagePullPolicy: 'IfNotPresent',
    ports: [{ containerPort: 8080 + index, protocol: 'TCP' }],
    env: [
      {
        name: 'POD_NAME',
        valueFrom: { fieldRef: { apiVersion: 'v1', fieldPath: 'metadata.name' } },
      },
    ],
    resources: { limits: { memory: '128Mi' }, requests: { cpu: '100m', memory: '128Mi' } },
    terminationMessagePath: '/dev/termination-log',
    terminationMessagePolicy: 'File',
    volumeMounts: [{ name: 'token', readOnly: true, mountPath: '/var/run/secrets/token' }],
  };
}
