import { ENTRY_LEVELS, entryName } from '../admission/entry-name.ts';
import { MODES, type Mode } from '../admission/policy.ts';
import type { JsonObject } from '../json.ts';
import { LABEL_PREFIX, MODE_LABEL } from '../workload/annotations.ts';

/** An entry of the webhook configuration as the manifests of this version have it. */
export interface ShippedEntry {
  readonly name: string;
  readonly mode: Mode;
  readonly rules: readonly ShippedRule[];
  readonly namespaceSelector: JsonObject;
  /** The other fields on which something rests. */
  readonly fields: JsonObject;
}

/** What an entry is called for. */
export interface ShippedRule {
  readonly apiGroups: readonly string[];
  readonly apiVersions: readonly string[];
  readonly operations: readonly string[];
  readonly resources: readonly string[];
  readonly scope: 'Namespaced';
}

const NOT_BEING_DELETED = {
  name: 'not-being-deleted',
  expression: '!has(object.metadata.deletionTimestamp)',
};

const CREATE_AND_UPDATE = ['CREATE', 'UPDATE'] as const;

function rule(
  group: string,
  resources: readonly string[],
  operations: readonly string[] = CREATE_AND_UPDATE,
): ShippedRule {
  return { apiGroups: [group], apiVersions: ['v1'], operations, resources, scope: 'Namespaced' };
}

const LEVELS = {
  pods: {
    rules: [rule('', ['pods']), rule('', ['pods/ephemeralcontainers'], ['UPDATE'])],
    selector: [],
    matchConditions: [
      {
        name: 'not-a-mirror-pod',
        expression: "!('kubernetes.io/config.mirror' in object.metadata.?annotations.orValue({}))",
      },
      NOT_BEING_DELETED,
    ],
  },
  workloads: {
    rules: [
      rule('', ['podtemplates', 'replicationcontrollers']),
      rule('apps', ['deployments', 'statefulsets', 'daemonsets', 'replicasets']),
      rule('batch', ['jobs', 'cronjobs']),
    ],
    selector: [{ key: `${LABEL_PREFIX}level`, operator: 'NotIn', values: ['pods'] }],
    matchConditions: [
      {
        name: 'not-owned-by-a-controller',
        expression:
          '!object.metadata.?ownerReferences.orValue([]).exists(owner, owner.?controller.orValue(false))',
      },
      NOT_BEING_DELETED,
      {
        name: 'template-or-misplaced-annotation-changes',
        expression: [
          "request.operation == 'CREATE'",
          '|| object.?template != oldObject.?template',
          '|| object.?spec.?template != oldObject.?spec.?template',
          '|| object.?spec.?jobTemplate.?spec.?template != oldObject.?spec.?jobTemplate.?spec.?template',
          "|| ['tagpin.dev/refresh', 'tagpin.dev/refresh-policy', 'tagpin.dev/skip'].exists(name,",
          'object.metadata.?annotations[?name] != oldObject.metadata.?annotations[?name])',
        ].join(' '),
      },
    ],
  },
} as const;

/** The namespaces that no entry may select, whatever their labels: the cluster's, and tagpin's. */
export function neverCalled(ownNamespace: string): readonly string[] {
  return ['kube-system', 'kube-node-lease', ownNamespace];
}

/**
 * The entries that `manifests/helm/files/webhooks/webhooks.yaml` has, as a test says.
 *
 * @param ownNamespace where tagpin is installed
 */
export function shippedEntries(ownNamespace: string): readonly ShippedEntry[] {
  const key = 'kubernetes.io/metadata.name';
  const others = { key, operator: 'NotIn', values: neverCalled(ownNamespace) };
  return MODES.flatMap((mode) =>
    ENTRY_LEVELS.map((level): ShippedEntry => {
      const { rules, selector, matchConditions } = LEVELS[level];
      return {
        name: entryName(level, mode),
        mode,
        rules,
        namespaceSelector: {
          matchLabels: { [MODE_LABEL]: mode },
          matchExpressions: [others, ...selector],
        },
        fields: {
          matchConditions,
          failurePolicy: 'Ignore',
          reinvocationPolicy: 'IfNeeded',
          timeoutSeconds: 10,
          sideEffects: 'None',
          matchPolicy: 'Equivalent',
        },
      };
    }),
  );
}
