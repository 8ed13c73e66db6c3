import { stripVTControlCharacters } from 'node:util';

import { describe, expect, it } from '@jest/globals';

import type { Step, StepBody } from '../../src/explain/step.ts';
import { closingLine, stepLine } from '../../src/explain/text.ts';

function at(body: StepBody): Step {
  return { atMs: 12.34, ...body };
}

const SECRET = { step: 'cluster', kind: 'Secret', name: 'shop/regcred', ms: 3.21 } as const;
const REQUEST = {
  step: 'request',
  purpose: 'image',
  method: 'HEAD',
  host: 'r.example.com',
  path: '/v2/a/manifests/1',
  ms: 4,
} as const;

const LINES: readonly (readonly [StepBody, string])[] = [
  [
    { step: 'image', registry: 'r.example.com', repository: 'a', tag: '1' },
    'image        r.example.com/a, tag 1',
  ],
  [
    { step: 'image', registry: 'r.example.com', repository: 'a', digest: 'sha256:a' },
    'image        r.example.com/a, sha256:a',
  ],
  [{ ...SECRET, result: 'found' }, 'cluster      Secret "shop/regcred" was read (3.2 ms)'],
  [{ ...SECRET, result: 'missing' }, 'cluster      Secret "shop/regcred" does not exist (3.2 ms)'],
  [
    { ...SECRET, result: 'secret_unreadable', message: 'it hangs' },
    'cluster      Secret "shop/regcred": it hangs (3.2 ms)',
  ],
  [
    {
      ...SECRET,
      result: 'forbidden_secret',
      message: 'no',
      needs: { verb: 'get', resource: 'secrets', namespace: 'shop' },
    },
    'cluster      Secret "shop/regcred": no: RBAC must allow get of secrets in "shop" (3.2 ms)',
  ],
  [
    { ...SECRET, kind: 'Pod', name: 'shop/web', result: 'found', pullSecrets: ['a', 'b'] },
    'cluster      Pod "shop/web" names pull secrets "a", "b" (3.2 ms)',
  ],
  [
    { ...SECRET, kind: 'Pod', name: 'shop/web', result: 'found', pullSecrets: [] },
    'cluster      Pod "shop/web" names no pull secret (3.2 ms)',
  ],
  [
    { step: 'credentials', own: ['pull secret "a"'], lent: ['google'] },
    `credentials  pull secret "a", then tagpin's own source "google"`,
  ],
  [
    { step: 'credentials', own: [], lent: [] },
    'credentials  none for this image: it is asked for without',
  ],
  [
    { step: 'cache', result: 'miss' },
    'cache        nothing is known: this process asks for the first time',
  ],
  [{ step: 'cache', result: 'another' }, 'cache        another'],
  [
    {
      step: 'places',
      places: [
        { registry: 'm', origin: 'https://m', role: 'mirror' },
        { registry: 'r', origin: 'https://r', role: 'registry' },
      ],
    },
    'places       https://m (mirror), then https://r (registry)',
  ],
  [
    { step: 'left_alone', registry: 'r', reason: 'rate_limited', message: 'r answered 429 before' },
    'left alone   r: r answered 429 before',
  ],
  [
    { step: 'asking', registry: 'r', origin: 'https://r' },
    'asking       https://r, which no earlier answer or silence forbids',
  ],
  [{ step: 'credential', origin: null, lentBy: null }, 'with         no credential'],
  [{ step: 'credential', origin: 'pull secret "a"', lentBy: null }, 'with         pull secret "a"'],
  [
    { step: 'credential', origin: 'docker config "f"', lentBy: 'docker_config' },
    `with         docker config "f", of tagpin's own source "docker_config"`,
  ],
  [
    { ...REQUEST, authorization: 'Bearer', answer: '200' },
    'request      HEAD r.example.com/v2/a/manifests/1 with Bearer: 200 (4.0 ms)',
  ],
  [
    { ...REQUEST, purpose: 'token', method: 'GET', authorization: null, answer: 'tls_failed' },
    'token        GET r.example.com/v2/a/manifests/1: tls_failed (4.0 ms)',
  ],
  [{ step: 'answered', registry: 'r', digest: 'sha256:0' }, 'answered     r: sha256:0'],
  [
    { step: 'answered', registry: 'r', reason: 'not_found', message: 'r answered 404' },
    'answered     r: r answered 404',
  ],
  [{ step: 'warning', message: 'a source failed' }, 'warning      a source failed'],
];

describe('stepLine()', () => {
  it.each(LINES)('%j', (body, text) => {
    expect(stepLine(at(body), false)).toBe(`    12.3 ms  ${text}\n`);
  });

  it('escapes what could move the cursor, or forge a line', () => {
    const message = 'a\u001B[2Jb\r\nc\u202Ed';
    const line = stepLine(at({ step: 'warning', message }), false);
    expect(line).toContain('a\\u{1b}[2Jb\\u{d}\\u{a}c\\u{202e}d');
  });

  it('has colours for a terminal, around the same text', () => {
    const step = at({ step: 'warning', message: 'm' });
    const coloured = stepLine(step, true);
    expect(coloured).toContain('\u001B[');
    expect(stripVTControlCharacters(coloured)).toBe(stepLine(step, false));
  });
});

describe('closingLine()', () => {
  it('stands below the others', () => {
    expect(closingLine('answer', 'yes', false)).toBe('             answer       yes\n');
  });
});
