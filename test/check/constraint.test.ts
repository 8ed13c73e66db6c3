import { describe, expect, it } from '@jest/globals';

import { readConstraints } from '../../src/check/constraint.ts';
import type { ManifestObject } from '../../src/files/objects.ts';

const HEAD = { apiVersion: 'constraints.gatekeeper.sh/v1beta1', kind: 'K8sImageDigests' };

function constraint(spec: unknown, more: object = {}): string {
  return JSON.stringify({ ...HEAD, metadata: { name: 'c' }, spec, ...more });
}

function object(metadata: object, group = '', kind = 'Pod'): ManifestObject {
  return { group, kind, value: { metadata }, path: [] };
}

function applies(match: unknown, subject: ManifestObject, namespace = ''): boolean | undefined {
  return readConstraints(constraint({ match }), 'f')[0]?.matches(subject, namespace);
}

describe('readConstraints()', () => {
  it.each<[string, unknown, ManifestObject, boolean]>([
    ['nothing', undefined, object({}), true],
    ['a kind', { kinds: [{ apiGroups: [''], kinds: ['Pod'] }] }, object({}), true],
    ['another kind', { kinds: [{ apiGroups: ['apps'], kinds: ['Pod'] }] }, object({}), false],
    ['any kind', { kinds: [{ apiGroups: ['*'], kinds: ['*'] }] }, object({}, 'x', 'Y'), true],
    ['a namespace', { namespaces: ['a', 'b*'] }, object({ namespace: 'bc' }), true],
    ['another namespace', { namespaces: ['a'] }, object({ namespace: 'b' }), false],
    ['no namespace', { namespaces: ['a'] }, object({}), false],
    ['a namespace itself', { namespaces: ['a'] }, object({ name: 'a' }, '', 'Namespace'), true],
    [
      'an excluded namespace',
      { excludedNamespaces: ['*-system'] },
      object({ namespace: 'kube-system' }),
      false,
    ],
    ['a name', { name: 'web-*' }, object({ name: 'web-1' }), true],
    ['a generated name', { name: 'web-*' }, object({ generateName: 'web-' }), true],
    ['a star in the middle', { name: 'w*b' }, object({ name: 'web' }), false],
    [
      'labels',
      { labelSelector: { matchLabels: { a: 'b' } } },
      object({ labels: { a: 'b', c: 'd' } }),
      true,
    ],
    [
      'other labels',
      { labelSelector: { matchLabels: { a: 'b' } } },
      object({ labels: { a: 'c' } }),
      false,
    ],
    [
      'expressions',
      {
        labelSelector: {
          matchExpressions: [
            { key: 'a', operator: 'NotIn', values: ['b'] },
            { key: 'c', operator: 'Exists' },
          ],
        },
      },
      object({ labels: { c: '' } }),
      true,
    ],
    [
      'an expression that fails',
      { labelSelector: { matchExpressions: [{ key: 'a', operator: 'DoesNotExist' }] } },
      object({ labels: { a: '' } }),
      false,
    ],
  ])('selects by %s', (...[, match, subject, expected]) => {
    expect(applies(match, subject)).toBe(expected);
  });

  it('takes the namespace that was given for objects that name none', () => {
    expect(applies({ namespaces: ['a'] }, object({}), 'a')).toBe(true);
    expect(applies({ namespaces: ['a'] }, object({ namespace: 'b' }), 'a')).toBe(false);
  });

  it.each<[string, unknown, string]>([
    ['a namespaceSelector', { match: { namespaceSelector: {} } }, 'match.namespaceSelector'],
    ['a scope', { match: { scope: 'Namespaced' } }, 'match.scope'],
    ['a source', { match: { source: 'All' } }, 'match.source'],
    ['another parameter', { parameters: { images: [] } }, 'images'],
    ['another field', { scopedEnforcementActions: [] }, 'scopedEnforcementActions'],
    ['another action', { enforcementAction: 'scoped' }, 'scoped'],
    [
      'an unknown operator',
      {
        match: {
          labelSelector: { matchExpressions: [{ key: 'a', operator: 'Gt', values: ['1'] }] },
        },
      },
      'In, NotIn',
    ],
    [
      'an operator without values',
      { match: { labelSelector: { matchExpressions: [{ key: 'a', operator: 'In' }] } } },
      'at least one',
    ],
    ['namespaces that are no list', { match: { namespaces: 'a' } }, 'no list'],
    ['exemptions that are no texts', { parameters: { exemptImages: [1] } }, 'exemptImages'],
  ])('refuses %s', (_, spec, message) => {
    expect(() => readConstraints(constraint(spec), 'c.yaml')).toThrow(
      expect.objectContaining({
        code: 'invalid_config',
        message: expect.stringMatching(new RegExp(`c\\.yaml.*${message}`)),
      }),
    );
  });

  it.each([
    ['another kind', constraint({}, { kind: 'K8sAllowedRepos' })],
    ['nothing', '# empty\n'],
    ['what does not parse', 'a: [\n'],
  ])('refuses a file with %s', (_, text) => {
    expect(() => readConstraints(text, 'c.yaml')).toThrow(
      expect.objectContaining({ code: 'invalid_config' }),
    );
  });

  it('reads several, beside the template, and whether they deny', () => {
    const template = JSON.stringify({ kind: 'ConstraintTemplate' });
    const texts = [template, constraint({}), constraint({ enforcementAction: 'warn' })];
    const read = readConstraints(texts.join('\n---\n'), 'f');
    expect(read.map(({ name, denies }) => [name, denies])).toEqual([
      ['c', true],
      ['c', false],
    ]);
  });
});
