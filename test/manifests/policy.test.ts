import { describe, expect, it } from '@jest/globals';

import { MODES } from '../../src/admission/policy.ts';
import { SERVE_SETTINGS } from '../../src/config.ts';
import { variableOf } from '../../src/settings/setting.ts';
import {
  LABEL_PREFIX,
  MIRROR_ANNOTATION,
  ORIGINALS_ANNOTATION,
} from '../../src/workload/annotations.ts';
import { MAX_RECORD_CHARS } from '../../src/workload/originals.ts';
import { readDocument, readText } from './documents.ts';

interface Policy {
  metadata: { name: string };
  spec: {
    matchConstraints: { resourceRules: { operations: string[]; resources: string[] }[] };
    matchConditions: { expression: string }[];
    variables: { name: string; expression: string }[];
  };
}

const policy = readDocument('../helm/files/policies/enforce.yaml') as Policy;

describe('the ValidatingAdmissionPolicy of enforce', () => {
  it('fails closed, answers 403 and ends in its reason code', () => {
    expect(policy.spec).toMatchObject({
      failurePolicy: 'Fail',
      validations: [
        {
          reason: 'Forbidden',
          message: expect.stringMatching(/\[unpinned\]$/),
          messageExpression: expect.stringMatching(/\[unpinned\]'$/),
        },
      ],
    });
  });

  it('looks at Pods and their ephemeral containers', () => {
    expect(
      policy.spec.matchConstraints.resourceRules.map(({ operations, resources }) => ({
        operations,
        resources,
      })),
    ).toEqual([
      { operations: ['CREATE', 'UPDATE'], resources: ['pods'] },
      { operations: ['UPDATE'], resources: ['pods/ephemeralcontainers'] },
    ]);
  });

  it('skips by the list that tagpin is given, which is that of the code', () => {
    const list = { name: 'tagpin-skip-list', namespace: 'tagpin-system' };
    expect(readDocument('base/skip-list.yaml')).toMatchObject({
      kind: 'ConfigMap',
      metadata: list,
      data: { skip: SERVE_SETTINGS.skip.fallback },
    });
    expect(policy.spec).toMatchObject({ paramKind: { apiVersion: 'v1', kind: 'ConfigMap' } });
    expect(readDocument('base/policy-binding.yaml')).toMatchObject({
      spec: { paramRef: { ...list, parameterNotFoundAction: 'Deny' } },
    });
    const env = {
      name: variableOf(SERVE_SETTINGS.skip),
      valueFrom: { configMapKeyRef: { name: list.name, key: 'skip', optional: true } },
    };
    expect(readDocument('base/deployment.yaml')).toMatchObject({
      spec: { template: { spec: { containers: [{ env: [env] }] } } },
    });
  });

  it('exempts by nothing else that a tenant could write', () => {
    expect(policy.spec.matchConditions).toHaveLength(1);
    expect(policy.spec.matchConditions[0]?.expression).toContain(MIRROR_ANNOTATION);
    expect(policy.spec.matchConditions[0]?.expression).toContain(
      "'system:nodes' in request.userInfo",
    );
    expect(readText('../helm/files/policies/enforce.yaml')).not.toContain(LABEL_PREFIX);
  });
});

describe('the binding of the policy', () => {
  it('denies in namespaces of mode enforce, but never in the namespaces of the system', () => {
    expect(readDocument('base/policy-binding.yaml')).toMatchObject({
      spec: {
        policyName: policy.metadata.name,
        validationActions: ['Deny'],
        matchResources: {
          namespaceSelector: {
            matchLabels: { [`${LABEL_PREFIX}mode`]: 'enforce' },
            matchExpressions: [
              {
                key: 'kubernetes.io/metadata.name',
                operator: 'NotIn',
                values: ['kube-system', 'kube-node-lease', 'tagpin-system'],
              },
            ],
          },
        },
      },
    });
  });
});

describe('the ValidatingAdmissionPolicy of the labels', () => {
  const labels = readDocument('../helm/files/policies/namespace-labels.yaml') as Policy;

  it('knows the modes of the code, and one level', () => {
    const known = labels.spec.variables.find(({ name }) => name === 'known')?.expression ?? '';
    expect(JSON.parse(known.replaceAll("'", '"'))).toEqual({
      [`${LABEL_PREFIX}mode`]: ['pin', 'enforce', 'warn'],
      [`${LABEL_PREFIX}level`]: ['pods'],
      [`${LABEL_PREFIX}validate`]: ['digests'],
    });
    expect(MODES).toEqual(['pin', 'enforce', 'warn']);
  });

  it('denies, in all namespaces, and stands in the way of nothing else', () => {
    expect(labels.spec).toMatchObject({ failurePolicy: 'Ignore' });
    expect(readDocument('base/namespace-policy-binding.yaml')).toMatchObject({
      spec: { policyName: labels.metadata.name, validationActions: ['Deny'] },
    });
  });
});

function expressionOf(
  { spec }: { spec: Pick<Policy['spec'], 'variables'> },
  name: string,
): string | undefined {
  return spec.variables.find((variable) => variable.name === name)?.expression;
}

function resourcesOf(rules: readonly { resources: string[] }[]): string[] {
  return rules.flatMap((rule) => rule.resources).toSorted();
}

describe('the MutatingAdmissionPolicy that keeps pins', () => {
  const keep = readDocument('../helm/files/keep-pins/keep-pins.yaml') as {
    metadata: { name: string };
    spec: {
      matchConstraints: { resourceRules: { resources: string[] }[] };
      variables: { name: string; expression: string }[];
    };
  };

  it('is asked of the updates of every kind that the webhook pins', () => {
    const { webhooks } = readDocument('../helm/files/webhooks/webhooks.yaml') as {
      webhooks: { name: string; rules: { resources: string[] }[] }[];
    };
    const templates = webhooks.find(({ name }) => name.startsWith('workloads.pin.'))?.rules ?? [];
    expect(resourcesOf(keep.spec.matchConstraints.resourceRules)).toEqual(
      [...resourcesOf(templates), 'pods'].toSorted(),
    );
    expect(keep.spec).toMatchObject({ failurePolicy: 'Ignore', reinvocationPolicy: 'IfNeeded' });
  });

  it('is bound to every mode, and to no namespace of the system', () => {
    expect(readDocument('components/keep-pins/policy-binding.yaml')).toMatchObject({
      spec: {
        policyName: keep.metadata.name,
        matchResources: {
          namespaceSelector: {
            matchExpressions: [
              { key: `${LABEL_PREFIX}mode`, operator: 'In', values: [...MODES] },
              {
                key: 'kubernetes.io/metadata.name',
                operator: 'NotIn',
                values: ['kube-system', 'kube-node-lease', 'tagpin-system'],
              },
            ],
          },
        },
      },
    });
  });

  it('puts back what stood in the stored object, and nothing else', () => {
    const text = readText('../helm/files/keep-pins/keep-pins.yaml');
    const values = [...text.matchAll(/value: (.*?)\}\]?\)?$/gm)];
    expect(new Set(values.map(([, value]) => value))).toEqual(
      new Set([
        'variables.pins[i.key].image',
        `{'annotations': {'${ORIGINALS_ANNOTATION}': variables.record}}`,
        `{'${ORIGINALS_ANNOTATION}': variables.record}`,
        'variables.record',
      ]),
    );
    expect(expressionOf(keep, 'pins')).toContain('variables.images[1]');
    expect(expressionOf(keep, 'record')).toContain('variables.annotations[1]');
    expect(expressionOf(keep, 'templates')).toMatch(/^\[object, oldObject\]/);
  });

  it('reads the annotations and the length of a record that the code does', () => {
    const text = readText('../helm/files/keep-pins/keep-pins.yaml');
    const names = new Set(
      [...text.matchAll(/tagpin\.dev(?:\/|~1)([a-z]+)/g)].map(([, name]) => name),
    );
    expect(names).toEqual(new Set(['level', 'originals', 'refresh', 'skip']));
    expect(text).toContain(`size(text) <= ${MAX_RECORD_CHARS}`);
  });
});
