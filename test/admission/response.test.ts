import { describe, expect, it } from '@jest/globals';

import { allow, deny, encodeResponse } from '../../src/admission/response.ts';

describe('allow()', () => {
  it('has no patch and no warnings where there are none', () => {
    expect(allow('1', [], [])).toEqual({ uid: '1', allowed: true });
  });

  it('carries the patch in base64, whatever characters it holds', () => {
    const patch = [{ op: 'add', path: '/a~1b', value: '🐳\u0000' }] as const;
    const response = allow('1', patch, []);
    expect(response.patchType).toBe('JSONPatch');
    const text = Buffer.from(response.patch ?? '', 'base64').toString('utf8');
    expect(JSON.parse(text)).toEqual(patch);
  });

  it('says what is said twice once', () => {
    expect(allow('1', [], ['a', 'b', 'a']).warnings).toEqual(['a', 'b']);
  });

  it.each([
    ['as it is', 'x'.repeat(256), 'x'.repeat(256)],
    ['cut', 'x'.repeat(257), `${'x'.repeat(255)}…`],
    ['as it is, in two units a rune', '🐳'.repeat(256), '🐳'.repeat(256)],
    ['cut, in two units a rune', '🐳'.repeat(257), `${'🐳'.repeat(255)}…`],
    ['cut between two units', `x${'🐳'.repeat(400)}`, `x${'🐳'.repeat(254)}…`],
  ])('tells a warning %s', (_, long, told) => {
    expect(allow('1', [], [long]).warnings).toEqual([told]);
  });

  it.each([
    [15, 15, 'warning 14'],
    [16, 16, 'and 1 more like these'],
    [5000, 16, 'and 4985 more like these'],
  ])('tells %i warnings in %i lines', (count, lines, last) => {
    const all = Array.from({ length: count }, (_, index) => `warning ${index}`);
    const { warnings = [] } = allow('1', [], all);
    expect(warnings).toHaveLength(lines);
    expect(warnings.at(-1)).toBe(last);
  });

  it('stays within the 4096 runes of the API server', () => {
    const all = Array.from({ length: 100 }, (_, index) => `${index}${'🐳'.repeat(500)}`);
    const runes = allow('1', [], all).warnings?.flatMap((warning) => Array.from(warning));
    expect(runes?.length).toBeLessThanOrEqual(4096);
  });
});

describe('deny()', () => {
  it('says 403, never another code', () => {
    expect(deny('1', 'no')).toEqual({
      uid: '1',
      allowed: false,
      status: { code: 403, reason: 'Forbidden', message: 'no' },
    });
  });

  it('cuts a message that nobody reads to its end', () => {
    const { status } = deny('1', 'x'.repeat(5000), ['w']);
    expect(status?.message).toBe(`${'x'.repeat(4095)}…`);
  });
});

describe('encodeResponse()', () => {
  it('wraps a response as the API server reads it', () => {
    expect(JSON.parse(encodeResponse(allow('1', [], ['a'])).text)).toEqual({
      apiVersion: 'admission.k8s.io/v1',
      kind: 'AdmissionReview',
      response: { uid: '1', allowed: true, warnings: ['a'] },
    });
  });

  it.each([
    ['no patch', allow('1', [], [])],
    ['a patch', allow('1', [{ op: 'replace', path: '/spec/a', value: 'b' }], [])],
    ['a patch and warnings', allow('"ü"', [{ op: 'remove', path: '/ü' }], ['größer', '"'])],
    ['a denial', deny('1', 'größer', ['ß'])],
  ])('writes what JSON.stringify() would, and counts its bytes: %s', (_name, response) => {
    const { text, bytes } = encodeResponse(response);
    expect(JSON.parse(text).response).toEqual(response);
    expect(bytes).toBe(Buffer.byteLength(text));
  });
});
