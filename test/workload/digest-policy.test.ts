import { describe, expect, it } from '@jest/globals';

import { exemptionOf, passesPolicy, policyViolations } from '../../src/workload/digest-policy.ts';

const NOTHING_EXEMPT = (): boolean => false;

function messages(spec: unknown, exempt: readonly string[] = []): string[] {
  return policyViolations({ spec }, exemptionOf(exempt)).map(({ message }) => message);
}

describe('passesPolicy()', () => {
  // The cases of the library's own tests, and the limits of its pattern.
  it.each<[string, boolean]>([
    ['openpolicyagent/opa:0.9.2', false],
    [`openpolicyagent/opa:0.9.2@sha256:${'0'.repeat(64)}`, true],
    [`opa@sha512:${'0'.repeat(128)}`, true],
    ['opa@multihash+base58:QmRZxt2b1FVZPNqd8hsiykDL3TdBDeTSPX9Kv46HmX4Gx8', true],
    ['opa@sha256+b64u:LCa0a2j_xo_5m0U8HTBBNBNCLXBkg7-g-YpeiGJm564', true],
    ['x@a:b', true],
    ['x@sha256:abc', true],
    ['x@SHA256:abc', false],
    ['x@sha256', false],
    ['x@sha256:', false],
    ['x@a--b:c', false],
    ['', false],
  ])('of %s is %s', (image, expected) => {
    expect(passesPolicy(image)).toBe(expected);
  });
});

describe('policyViolations()', () => {
  it('has the messages of the policy, for the three lists of a Pod', () => {
    const item = { name: 'opa', image: 'openpolicyagent/opa:0.9.2' };
    const spec = { containers: [item], initContainers: [item], ephemeralContainers: [item] };
    expect(policyViolations({ spec }, NOTHING_EXEMPT)).toEqual([
      {
        message: 'container <opa> uses an image without a digest <openpolicyagent/opa:0.9.2>',
        path: ['spec', 'containers', '0', 'image'],
      },
      {
        message: 'initContainer <opa> uses an image without a digest <openpolicyagent/opa:0.9.2>',
        path: ['spec', 'initContainers', '0', 'image'],
      },
      {
        message:
          'ephemeralContainer <opa> uses an image without a digest <openpolicyagent/opa:0.9.2>',
        path: ['spec', 'ephemeralContainers', '0', 'image'],
      },
    ]);
  });

  it('says the same thing once, of the first that it is true of', () => {
    const item = { name: 'a', image: 'x' };
    expect(policyViolations({ spec: { containers: [item, item] } }, NOTHING_EXEMPT)).toMatchObject([
      { path: ['spec', 'containers', '0', 'image'] },
    ]);
  });

  it.each<[string, unknown, string[]]>([
    ['no image', { containers: [{ name: 'a' }] }, []],
    ['no name', { containers: [{ image: 'a' }] }, []],
    ['an image that is no text', { containers: [{ name: 'a', image: null }] }, ['<a> <null>']],
    [
      'the same twice',
      {
        containers: [
          { name: 'a', image: 'x' },
          { name: 'a', image: 'x' },
        ],
      },
      ['<a> <x>'],
    ],
    ['a template below', { template: { spec: { containers: [{ name: 'a', image: 'x' }] } } }, []],
    ['no spec', undefined, []],
  ])('of %s', (_, spec, expected) => {
    expect(
      messages(spec).map((message) => message.replace(/^container | uses.*digest/g, '')),
    ).toEqual(expected);
  });

  it.each<[string, string[], boolean]>([
    ['nginx', ['nginx'], true],
    ['nginx:1', ['nginx'], false],
    ['nginx:1', ['nginx*'], true],
    ['r.io/a', ['r.io/*'], true],
    ['r.io/a', ['*/a'], false],
    ['r.io/a', ['a', 'r.io*'], true],
    ['docker.io/library/nginx', ['nginx'], false],
  ])('exempts %s by %j: %s', (image, exempt, expected) => {
    expect(messages({ containers: [{ name: 'a', image }] }, exempt)).toHaveLength(expected ? 0 : 1);
  });
});
