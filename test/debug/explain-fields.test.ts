import { describe, expect, it } from '@jest/globals';

import {
  type ExplainFields,
  fieldsOf,
  NO_FIELDS,
  questionOf,
} from '../../src/debug/explain-fields.ts';

const FIELDS: ExplainFields = { ...NO_FIELDS, namespace: 'shop', image: 'a/b:1' };

describe('questionOf()', () => {
  it.each([
    [{}, { serviceAccount: 'default', pullSecrets: [] }],
    [{ serviceAccount: 'builder' }, { serviceAccount: 'builder', pullSecrets: [] }],
    [{ pullSecrets: 'a, b.c,' }, { serviceAccount: undefined, pullSecrets: ['a', 'b.c'] }],
  ])('makes of %j: %j', (change, expected) => {
    expect(questionOf({ ...FIELDS, ...change })).toEqual({
      namespace: 'shop',
      image: 'a/b:1',
      ...expected,
    });
  });

  it.each([
    [{ namespace: '' }, 'namespace'],
    [{ namespace: 'a/b' }, 'namespace'],
    [{ namespace: '../kube-system' }, 'namespace'],
    [{ namespace: 'x'.repeat(64) }, 'namespace'],
    [{ image: '' }, 'image'],
    [{ serviceAccount: 'a/b' }, 'serviceAccount'],
    [{ serviceAccount: 'a?b' }, 'serviceAccount'],
    [{ pullSecrets: 'a b' }, 'pullSecrets'],
    [{ pullSecrets: Array.from({ length: 21 }, (_, n) => `s${n}`).join() }, 'pullSecrets'],
  ])('refuses %j by the name of the field', (change, field) => {
    expect(() => questionOf({ ...FIELDS, ...change })).toThrow(
      expect.objectContaining({
        code: 'invalid_config',
        message: expect.stringContaining(`${field}: `),
      }),
    );
  });
});

describe('fieldsOf()', () => {
  it('trims texts, and takes nothing else', () => {
    const body = { namespace: ' shop ', image: ['a'], serviceAccount: 1, pullSecrets: { a: 1 } };
    expect(fieldsOf(body)).toEqual({ ...NO_FIELDS, namespace: 'shop' });
  });

  it('shows nothing again that is longer than a name', () => {
    const long = 'x'.repeat(2000);
    const body = { namespace: long, image: long, serviceAccount: long, pullSecrets: long };
    expect(fieldsOf(body)).toEqual(NO_FIELDS);
  });
});
