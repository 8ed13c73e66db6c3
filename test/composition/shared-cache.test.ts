import { describe, expect, it } from '@jest/globals';

import { composeSharedCache } from '../../src/composition/shared-cache.ts';
import { SERVE_SETTINGS, type ServeSettings } from '../../src/config.ts';
import { readSettings } from '../../src/settings/setting.ts';
import { Files } from '../support/files.ts';
import { installationKeyOf } from '../support/installation-key.ts';
import { createRecordedLog } from '../support/recorded-log.ts';

type Flags = Partial<Record<keyof ServeSettings, string>>;

function compose(flags: Flags, installationKey = installationKeyOf('ours')) {
  return composeSharedCache(readSettings(SERVE_SETTINGS, { flags, environment: {} }), {
    installationKey,
    metrics: { sharedCacheRequest: () => {}, sharedCacheGated: () => {} },
    log: createRecordedLog().log,
    now: () => 0,
  });
}

function refusal(message: string): unknown {
  return expect.objectContaining({ code: 'invalid_config', message });
}

describe('composeSharedCache()', () => {
  it('makes nothing without the flag', () => {
    expect(compose({})).toBeUndefined();
  });

  it('needs the key of the installation', () => {
    const settings = readSettings(SERVE_SETTINGS, {
      flags: { sharedCache: 'rediss://cache' },
      environment: {},
    });
    const parts = {
      installationKey: undefined,
      metrics: { sharedCacheRequest: () => {}, sharedCacheGated: () => {} },
      log: createRecordedLog().log,
      now: () => 0,
    };
    expect(() => composeSharedCache(settings, parts)).toThrow(
      refusal('--shared-cache needs --installation-key-file'),
    );
  });

  it.each<[string, Flags]>([
    ['TLS', { sharedCache: 'rediss://cache.example.com' }],
    ['loopback by its name', { sharedCache: 'redis://localhost' }],
    ['loopback', { sharedCache: 'redis://127.0.0.2' }],
    ['loopback of IPv6', { sharedCache: 'redis://[::1]:7000' }],
    [
      'no TLS, as told',
      { sharedCache: 'redis://cache.example.com', sharedCacheWithoutTls: 'true' },
    ],
  ])('takes %s', (_what, flags) => {
    expect(compose(flags)).toBeDefined();
  });

  it.each(['cache.example.com', '127.example.com', '10.0.0.1', 'localhost.example.com'])(
    'refuses %s without TLS',
    (host) => {
      expect(() => compose({ sharedCache: `redis://u:canary@${host}` })).toThrow(
        refusal(
          '--shared-cache: redis:// is for loopback; use rediss://, or --shared-cache-without-tls',
        ),
      );
    },
  );

  it('refuses at the start what it could not use later', async () => {
    await using files = new Files();
    const sharedCache = 'rediss://cache.example.com';
    const missing = files.at('missing');
    expect(() => compose({ sharedCache, sharedCachePasswordFile: missing })).toThrow(
      refusal(`Cannot read --shared-cache-password-file ${JSON.stringify(missing)}`),
    );
    expect(() => compose({ sharedCache, sharedCacheCa: missing })).toThrow(
      refusal(`Cannot read ${missing}`),
    );
    const password = files.write('password', 'canary');
    expect(() =>
      compose({ sharedCache: 'rediss://u:canary@cache', sharedCachePasswordFile: password }),
    ).toThrow(refusal('--shared-cache has a password, and so has --shared-cache-password-file'));
    expect(() => compose({ sharedCache: 'redis://localhost', sharedCacheCa: missing })).toThrow(
      refusal('--shared-cache-ca needs rediss://'),
    );
  });
});
