import { describe, expect, it } from '@jest/globals';

import { composeSnapshot } from '../../src/composition/snapshot.ts';
import { SERVE_SETTINGS, type ServeSettings } from '../../src/config.ts';
import { computeDigest } from '../../src/image/digest.ts';
import type { InstallationKey } from '../../src/installation-key.ts';
import { createCache, type DigestCache } from '../../src/resolve/cache.ts';
import { readSettings } from '../../src/settings/setting.ts';
import { Files } from '../support/files.ts';
import { installationKeyOf } from '../support/installation-key.ts';
import { createRecordedLog } from '../support/recorded-log.ts';

type Flags = Partial<Record<keyof ServeSettings, string>>;

const KEY = 'registry.example.com/app:1.0 anonymous';
const LOOK_UP = {
  digest: computeDigest(Buffer.from('app')),
  mediaType: undefined,
  host: 'registry.example.com',
  source: 'header',
  attempts: 1,
} as const;

const now = (): number => performance.now();

/** A process that begins, with what it keeps between two of them. */
function start(
  flags: Flags,
  installationKey: InstallationKey | undefined = installationKeyOf('a'),
) {
  const cache: DigestCache = createCache({
    ttlMs: 60_000,
    staleIfErrorMs: 3_600_000,
    random: () => 0,
    maxDigests: 10,
  });
  const { log } = createRecordedLog();
  const settings = readSettings(SERVE_SETTINGS, { flags, environment: {} });
  const metrics = { snapshotWrite: () => {} };
  const kept = composeSnapshot(settings, { cache, installationKey, metrics, log, now });
  return { cache, kept };
}

/** Whether what a process kept is of use to the next one. */
async function isHandedOn(before: Flags, after: Flags): Promise<boolean> {
  await using files = new Files();
  const snapshot = files.at('digests');
  const first = start({ ...before, snapshot });
  first.cache.keep(KEY, { lookup: LOOK_UP, askedAtMs: now() });
  await first.kept?.close();
  const second = start({ ...after, snapshot });
  await second.kept?.load();
  await second.kept?.close();
  return [...second.cache.lastKnown(now())].length > 0;
}

describe('composeSnapshot()', () => {
  it('makes nothing without the flag', () => {
    expect(start({}).kept).toBeUndefined();
  });

  it('needs the key of the installation', () => {
    const settings = readSettings(SERVE_SETTINGS, {
      flags: { snapshot: '/snapshot' },
      environment: {},
    });
    const { cache } = start({});
    const { log } = createRecordedLog();
    const metrics = { snapshotWrite: () => {} };
    expect(() =>
      composeSnapshot(settings, { cache, installationKey: undefined, metrics, log, now }),
    ).toThrow('--snapshot needs --installation-key-file');
  });

  it.each<[string, Flags, Flags]>([
    ['the same settings', {}, {}],
    ['another log level', {}, { logLevel: 'warn' }],
  ])('hands digests on to a process with %s', async (_what, before, after) => {
    expect(await isHandedOn(before, after)).toBe(true);
  });

  it.each<[string, Flags, Flags]>([
    ['that verifies by digest', {}, { verifyByDigest: 'registry.example.com' }],
    ['that speaks TLS where it did not', { plainHttp: 'registry.example.com' }, {}],
    ['that may not ask that registry any more', {}, { allowRegistry: 'other.example.com' }],
  ])('hands no digest on to a process %s', async (_what, before, after) => {
    expect(await isHandedOn(before, after)).toBe(false);
  });
});
