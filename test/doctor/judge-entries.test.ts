import { describe } from '@jest/globals';

import type { Facts } from '../../src/doctor/facts.ts';
import type { JsonObject } from '../../src/json.ts';
import { read } from '../support/doctor-facts.ts';
import { itJudges, type Row, type Well } from './judgement.ts';

/** The configuration with one entry changed, or taken out where `change` gives nothing. */
function changed(
  { configuration }: Well,
  name: string,
  change: (entry: JsonObject) => JsonObject | undefined,
): Pick<Facts, 'configurations'> {
  const webhooks = configuration['webhooks'] as readonly JsonObject[];
  const next = webhooks.flatMap((entry) =>
    entry['name'] === name ? (change(entry) ?? []) : [entry],
  );
  return { configurations: read([{ ...configuration, webhooks: next }]) };
}

const ROWS: readonly Row[] = [
  {
    id: 'webhook-entries',
    when: 'one is missing',
    facts: (well) => changed(well, 'workloads.warn.tagpin.dev', () => undefined),
    expected: [
      { status: 'failed', about: 'workloads.warn.tagpin.dev', says: 'of 6; 5 call tagpin' },
    ],
  },
  {
    id: 'webhook-entries',
    when: 'one fails closed',
    facts: (well) =>
      changed(well, 'pods.pin.tagpin.dev', (entry) => ({ ...entry, failurePolicy: 'Fail' })),
    expected: [
      {
        status: 'failed',
        about: 'pods.pin.tagpin.dev',
        says: 'failurePolicy is "Fail"',
        command: `kubectl patch mutatingwebhookconfiguration tagpin --type=json '--patch=${JSON.stringify(
          [
            { op: 'test', path: '/webhooks/0/name', value: 'pods.pin.tagpin.dev' },
            { op: 'add', path: '/webhooks/0/failurePolicy', value: 'Ignore' },
          ],
        )}'`,
      },
    ],
  },
  {
    id: 'webhook-entries',
    when: 'one has another timeout, and passes over what it should see',
    facts: (well) =>
      changed(well, 'pods.pin.tagpin.dev', (entry) => ({
        ...entry,
        timeoutSeconds: 1,
        matchConditions: [],
      })),
    expected: [
      { status: 'warning', says: 'its matchConditions are not as shipped' },
      { status: 'warning', says: 'timeoutSeconds is 1' },
    ],
  },
  {
    id: 'webhook-entries',
    when: 'one is called for less, in other namespaces, and by labels of objects',
    facts: (well) =>
      changed(well, 'workloads.pin.tagpin.dev', (entry) => ({
        ...entry,
        rules: (entry['rules'] as readonly unknown[]).slice(1),
        namespaceSelector: { matchLabels: { 'tagpin.dev/mode': 'pin' } },
        objectSelector: { matchLabels: { pinned: 'yes' } },
      })),
    expected: [
      { status: 'failed', says: 'its rules are not as shipped' },
      { status: 'failed', says: 'its namespaceSelector is not as shipped' },
      { status: 'warning', says: 'its objectSelector is not as shipped' },
    ],
  },
  {
    id: 'webhook-entries',
    when: 'one has more: custom resources, Events, and a namespace that is left out',
    facts: (well) =>
      changed(well, 'workloads.pin.tagpin.dev', (entry) => {
        const more = {
          apiGroups: ['argoproj.io'],
          apiVersions: ['v1alpha1'],
          resources: ['rollouts'],
        };
        const selector = entry['namespaceSelector'] as { matchExpressions: readonly JsonObject[] };
        const others = { key: 'kubernetes.io/metadata.name', operator: 'NotIn', values: ['ci'] };
        return {
          ...entry,
          sideEffects: 'NoneOnDryRun',
          rules: [...(entry['rules'] as readonly unknown[]), { ...more, operations: ['*'] }],
          namespaceSelector: {
            ...selector,
            matchExpressions: [...selector.matchExpressions, others],
          },
        };
      }),
    expected: [{ status: 'ok' }],
  },
];

describe('judgeEntries()', () => {
  itJudges(ROWS);
});
