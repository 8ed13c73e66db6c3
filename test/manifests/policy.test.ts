import { describe, expect, it } from '@jest/globals';

import { SERVE_SETTINGS } from '../../src/config.ts';
import { LABEL_PREFIX, MIRROR_ANNOTATION } from '../../src/workload/annotations.ts';
import { readDocument, readText } from './documents.ts';

interface Policy {
  metadata: { name: string };
  spec: {
    matchConstraints: { resourceRules: { operations: string[]; resources: string[] }[] };
    matchConditions: { expression: string }[];
    variables: { name: string; expression: string }[];
  };
}

const policy = readDocument('base/policy.yaml') as Policy;

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

  it('skips what the setting --skip skips by default', () => {
    const skip = policy.spec.variables.find(({ name }) => name === 'skip')?.expression;
    const globs = [...(skip ?? '').matchAll(/'([^']*)'/g)].map(([, glob]) => glob);
    expect(globs.join(',')).toBe(SERVE_SETTINGS.skip.fallback);
  });

  it('exempts by nothing else that a tenant could write', () => {
    expect(policy.spec.matchConditions).toHaveLength(1);
    expect(policy.spec.matchConditions[0]?.expression).toContain(MIRROR_ANNOTATION);
    expect(policy.spec.matchConditions[0]?.expression).toContain(
      "'system:nodes' in request.userInfo",
    );
    expect(readText('base/policy.yaml')).not.toContain(LABEL_PREFIX);
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
