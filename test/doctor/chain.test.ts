import { beforeAll, describe, expect, it } from '@jest/globals';

import { isFor, isSignedBy } from '../../src/doctor/chain.ts';
import { hostOf } from '../../src/doctor/origin.ts';
import { type Authority, createAuthority } from '../support/certificate.ts';

const NAMES = ['tagpin.tagpin-system.svc', '*.example.com', '10.0.0.1', 'fd00::1'];

let root: Authority;
let middle: Authority;
let other: Authority;
let leaf: string;

beforeAll(async () => {
  [root, other] = await Promise.all([createAuthority(), createAuthority()]);
  middle = await root.delegate();
  leaf = (await middle.issue(NAMES)).cert;
});

describe('isSignedBy()', () => {
  it.each([
    ['whoever signed it is in the bundle', () => [[leaf], [middle.certificate]]],
    ['another one shown leads there', () => [[leaf, middle.certificate], [root.certificate]]],
    ['it is in the bundle itself', () => [[leaf], [leaf]]],
    [
      'the bundle has more',
      () => [[leaf], ['no certificate', other.certificate, middle.certificate]],
    ],
    [
      'the others are in any order',
      () => [[leaf, other.certificate, root.certificate, middle.certificate], [root.certificate]],
    ],
  ])('holds where %s', (_when, given) => {
    const [chain = [], bundle = []] = given();
    expect(isSignedBy(chain, bundle)).toBe(true);
  });

  it.each([
    ['a step is not shown', () => [[leaf], [root.certificate]]],
    ['another authority is in the bundle', () => [[leaf, middle.certificate], [other.certificate]]],
    ['the bundle is empty', () => [[leaf, middle.certificate, root.certificate], []]],
    ['nothing is shown', () => [[], [root.certificate]]],
    ['what is shown cannot be read', () => [['no certificate'], [root.certificate]]],
    [
      'what is shown leads back to itself',
      () => [[root.certificate, root.certificate], [other.certificate]],
    ],
  ])('does not where %s', (_when, given) => {
    const [chain = [], bundle = []] = given();
    expect(isSignedBy(chain, bundle)).toBe(false);
  });
});

describe('isFor()', () => {
  it.each([
    ['https://tagpin.tagpin-system.svc', true],
    ['https://a.example.com:8443', true],
    ['https://10.0.0.1:8443', true],
    ['https://[fd00::1]:8443', true],
    ['https://tagpin.tagpin-system.svc.cluster.local', false],
    ['https://a.b.example.com', false],
    ['https://10.0.0.2', false],
    ['https://[fd00::2]', false],
  ])('tells by its names whether a certificate is for the host of %s: %s', (origin, expected) => {
    expect(isFor(leaf, hostOf(origin))).toBe(expected);
  });

  it('is for nobody where it cannot be read', () => {
    expect(isFor('no certificate', 'tagpin.tagpin-system.svc')).toBe(false);
  });
});
