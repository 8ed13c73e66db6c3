import { describe, expect, it } from '@jest/globals';

import {
  formatPlatform,
  normalizePlatform,
  type Platform,
  parsePlatform,
} from '../../src/image/platform.ts';

const NONE: Platform = { os: '', architecture: '', variant: '', osVersion: '', osFeatures: [] };

function platform(parts: Partial<Platform>): Platform {
  return { ...NONE, os: 'linux', ...parts };
}

describe('parsePlatform()', () => {
  it.each<[string, Partial<Platform>]>([
    ['linux/amd64', { architecture: 'amd64' }],
    ['LINUX/X86_64', { architecture: 'amd64' }],
    ['linux/x86-64', { architecture: 'amd64' }],
    ['linux/amd64/v1', { architecture: 'amd64' }],
    ['linux/amd64/v3', { architecture: 'amd64', variant: 'v3' }],
    ['linux/i386', { architecture: '386' }],
    ['linux/aarch64', { architecture: 'arm64' }],
    ['linux/arm64/8', { architecture: 'arm64', variant: 'v8' }],
    ['linux/arm64/v9.0', { architecture: 'arm64', variant: 'v9' }],
    ['linux/arm', { architecture: 'arm' }],
    ['linux/arm/v7', { architecture: 'arm', variant: 'v7' }],
    ['linux/armhf', { architecture: 'arm' }],
    ['linux/armel', { architecture: 'arm', variant: 'v6' }],
    ['macOS/arm64', { os: 'darwin', architecture: 'arm64' }],
    [
      'windows(10.0.17763)/amd64',
      { os: 'windows', architecture: 'amd64', osVersion: '10.0.17763' },
    ],
    [
      'windows(10.0.1+win32k+a%2Bb)/amd64',
      { os: 'windows', architecture: 'amd64', osVersion: '10.0.1', osFeatures: ['win32k', 'a+b'] },
    ],
  ])('reads %s', (text, parts) => {
    expect(parsePlatform(text)).toEqual(platform(parts));
  });

  it.each([
    '',
    'linux',
    'arm64',
    '/',
    'linux/',
    '/amd64',
    'linux/amd64/v2/x',
    'linux/*',
    'a b/c',
    'linux(%)/amd64',
    'linux/a\u001B',
  ])('refuses %j as a mistake in the command line', (text) => {
    expect(() => parsePlatform(text)).toThrow(
      expect.objectContaining({
        code: 'invalid_config',
        message: expect.stringMatching(/^"[^\p{C}]*" is no platform: write it as linux\/amd64/u),
      }),
    );
  });
});

describe('formatPlatform()', () => {
  it.each<[Partial<Platform>, string]>([
    [{ os: '', architecture: 'amd64' }, 'unknown'],
    [{ architecture: 'arm', variant: 'v7' }, 'linux/arm/v7'],
    [{ os: 'windows', architecture: 'amd64', osVersion: '10.0.1' }, 'windows(10.0.1)/amd64'],
    [{ osFeatures: ['b', 'a+', 'b', ''], architecture: 'amd64' }, 'linux(+a%2B+b)/amd64'],
    [{ os: 'a\u001B[2J\n', architecture: '\u202E' }, 'a\\u{1b}[2J\\u{a}/\\u{202e}'],
  ])('writes %j', (parts, text) => {
    expect(formatPlatform(platform(parts))).toBe(text);
  });
});

describe('normalizePlatform()', () => {
  it.each<[Partial<Platform>, Partial<Platform>]>([
    [{ os: '', architecture: 'AMD64', variant: 'V1' }, { architecture: 'amd64' }],
    [{ architecture: 'arm' }, { architecture: 'arm', variant: 'v7' }],
    [{ architecture: 'arm64', variant: 'v8' }, { architecture: 'arm64' }],
    [{ architecture: 'i386', variant: 'x' }, { architecture: '386' }],
    [
      { os: 'toString', architecture: '__proto__' },
      { os: 'tostring', architecture: '__proto__' },
    ],
    [
      { architecture: 'arm64', variant: 'constructor' },
      { architecture: 'arm64', variant: 'constructor' },
    ],
    [{ osFeatures: ['b', 'a', 'b'] }, { osFeatures: ['b', 'a'] }],
  ])('%j', (parts, normal) => {
    expect(normalizePlatform(platform(parts))).toEqual(platform(normal));
  });
});
