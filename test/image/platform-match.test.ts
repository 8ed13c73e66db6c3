import { describe, expect, it } from '@jest/globals';

import { parsePlatform } from '../../src/image/platform.ts';
import { isUnknown, rankFor } from '../../src/image/platform-match.ts';

/** What of these runs on a platform, the best first. */
function runsOn(wanted: string, ...others: readonly string[]): string[] {
  const rank = rankFor(parsePlatform(wanted));
  return others
    .map((other) => ({ other, place: rank(parsePlatform(other)) }))
    .filter(({ place }) => place !== undefined)
    .toSorted((one, other) => (one.place ?? 0) - (other.place ?? 0))
    .map(({ other }) => other);
}

function windowsOf(build: string): string {
  return `windows(10.0.${build}.99)/amd64`;
}

const LINUX = [
  'linux/386',
  'linux/amd64',
  'linux/amd64/v2',
  'linux/amd64/v3',
  'linux/amd64/v4',
  'linux/arm/v5',
  'linux/arm/v6',
  'linux/arm/v7',
  'linux/arm/v8',
  'linux/arm64',
  'linux/arm64/v8.2',
  'linux/arm64/v9',
  'linux/s390x',
  'windows/amd64',
];

describe('rankFor()', () => {
  it.each<[string, string[]]>([
    ['linux/amd64', ['linux/amd64', 'linux/386']],
    ['linux/amd64/v3', ['linux/amd64/v3', 'linux/amd64/v2', 'linux/amd64', 'linux/386']],
    ['linux/386', ['linux/386']],
    ['linux/arm', ['linux/arm/v7', 'linux/arm/v6', 'linux/arm/v5']],
    ['linux/arm/v6', ['linux/arm/v6', 'linux/arm/v5']],
    ['linux/arm/v5', ['linux/arm/v5']],
    [
      'linux/arm64',
      ['linux/arm64', 'linux/arm/v8', 'linux/arm/v7', 'linux/arm/v6', 'linux/arm/v5'],
    ],
    [
      'linux/arm64/v9',
      [
        'linux/arm64/v9',
        'linux/arm64/v8.2',
        'linux/arm64',
        'linux/arm/v8',
        'linux/arm/v7',
        'linux/arm/v6',
        'linux/arm/v5',
      ],
    ],
    ['linux/arm64/v10', []],
    ['linux/s390x', ['linux/s390x']],
    ['linux/riscv64', []],
    [
      'linux/amd64/v99999999',
      ['linux/amd64/v4', 'linux/amd64/v3', 'linux/amd64/v2', 'linux/amd64', 'linux/386'],
    ],
  ])('%s runs %j', (wanted, runs) => {
    expect(runsOn(wanted, ...LINUX)).toEqual(runs);
  });

  it.each<[string, string[]]>([
    ['17763', ['17763']],
    ['20348', ['20348']],
    ['25398', ['20348', '25398']],
    ['26100', ['20348', '25398', '26100']],
    ['26200', ['20348', '25398', '26100', '26200']],
  ])('Windows of build %s runs builds %j, and what says no version', (build, builds) => {
    const all = ['17763', '20348', '25398', '26100', '26200'];
    const others = [...all.map(windowsOf), 'windows(11.0.20348)/amd64', 'windows/amd64'];
    expect(runsOn(windowsOf(build), ...others)).toEqual([
      ...builds.map(windowsOf),
      'windows/amd64',
    ]);
    expect(runsOn('windows/amd64', ...others)).toEqual(others);
  });

  it('wants all features that something needs, and prefers what needs most', () => {
    const others = ['linux/amd64', 'linux(+a)/amd64', 'linux(+a+b)/amd64', 'linux(+c)/amd64'];
    expect(runsOn('linux(+a+b)/amd64', ...others)).toEqual([
      'linux(+a+b)/amd64',
      'linux(+a)/amd64',
      'linux/amd64',
    ]);
    expect(runsOn('windows/amd64', 'windows(+win32k)/amd64', 'windows(+x)/amd64')).toEqual([
      'windows(+win32k)/amd64',
    ]);
  });
});

describe('isUnknown()', () => {
  it.each([
    ['unknown/unknown', true],
    ['linux/unknown', true],
    ['linux/amd64', false],
  ])('%s: %p', (text, is) => {
    expect(isUnknown(parsePlatform(text))).toBe(is);
  });
});
