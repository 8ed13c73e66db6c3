import { describe, expect, it } from '@jest/globals';

import { KNOWN_LABELS } from '../../src/doctor/judge-namespaces.ts';
import { shippedEntries } from '../../src/doctor/shipped-entries.ts';
import type { JsonObject } from '../../src/json.ts';
import { readDocument, readText } from '../manifests/documents.ts';

const { webhooks } = readDocument('../helm/files/webhooks/webhooks.yaml') as {
  readonly webhooks: readonly JsonObject[];
};

describe('shippedEntries()', () => {
  it('has the entries of the manifests, field by field', () => {
    const shipped = shippedEntries('tagpin-system').map(
      ({ name, mode, rules, namespaceSelector, fields }) => ({
        name,
        clientConfig: {
          service: { namespace: 'tagpin-system', name: 'tagpin', path: `/admission/${mode}` },
        },
        rules,
        namespaceSelector,
        ...fields,
        admissionReviewVersions: ['v1'],
      }),
    );
    expect(shipped).toEqual(webhooks.map((entry) => expect.objectContaining(entry)));
    expect(webhooks.map((entry) => Object.keys(entry).toSorted())).toEqual(
      shipped.map((entry) => Object.keys(entry).toSorted()),
    );
  });

  it('never selects the namespace in which tagpin is', () => {
    const selectors = shippedEntries('pins').map(({ namespaceSelector }) => namespaceSelector);
    expect(JSON.stringify(selectors)).toContain('["kube-system","kube-node-lease","pins"]');
  });
});

describe('KNOWN_LABELS', () => {
  it('are those of the policy that refuses others', () => {
    const text = readText('../helm/files/policies/namespace-labels.yaml');
    for (const [label, values] of KNOWN_LABELS) {
      const list = values.map((value) => `'${value}'`).join(', ');
      expect(text).toContain(`'${label}': [${list}]`);
    }
    const named = new Set(
      [...text.matchAll(/'(tagpin\.dev\/[a-z]+)':/g)].map(([, label]) => label),
    );
    expect(named).toEqual(new Set(KNOWN_LABELS.keys()));
  });
});
