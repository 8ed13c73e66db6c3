import { describe, expect, it } from '@jest/globals';

import { parseSharedCacheUrl } from '../../src/settings/shared-cache-settings.ts';

const PLAIN = { port: 6379, tls: true, username: undefined, password: undefined, database: 0 };

describe('parseSharedCacheUrl()', () => {
  it.each([
    ['rediss://cache.example.com', { ...PLAIN, host: 'cache.example.com' }],
    ['rediss://cache.example.com/', { ...PLAIN, host: 'cache.example.com' }],
    [
      'redis://127.0.0.1:7000/3',
      { ...PLAIN, host: '127.0.0.1', port: 7000, tls: false, database: 3 },
    ],
    ['rediss://[::1]:7000', { ...PLAIN, host: '::1', port: 7000 }],
    ['rediss://tagpin@cache', { ...PLAIN, host: 'cache', username: 'tagpin' }],
    ['rediss://:p%40ss@cache', { ...PLAIN, host: 'cache', password: 'p@ss' }],
    ['rediss://u%3A:p%2F@cache', { ...PLAIN, host: 'cache', username: 'u:', password: 'p/' }],
  ])('reads %s', (text, expected) => {
    expect(parseSharedCacheUrl(text)).toEqual(expected);
  });

  it.each([
    '',
    'canary',
    'https://u:canary@cache',
    'rediss://',
    'rediss://u:canary@',
    'rediss://u:canary@cache/name',
    'rediss://u:canary@cache/1/2',
    'rediss://u:canary@cache?tls=no',
    'rediss://u:canary@cache#x',
    'rediss://u:canary@cache:port',
    'rediss://u:canary%@cache',
  ])('refuses %p, and does not quote it', (text) => {
    expect(() => parseSharedCacheUrl(text)).toThrow(/^expected a (URL|user)/);
    expect(() => parseSharedCacheUrl(text)).not.toThrow(/canary/);
  });
});
