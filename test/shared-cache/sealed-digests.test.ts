import { describe, expect, it } from '@jest/globals';

import type { InstallationKey } from '../../src/installation-key.ts';
import {
  createSealing,
  MAX_VALUE_CHARS,
  NAME_PREFIX,
  type ToldDigest,
} from '../../src/shared-cache/sealed-digests.ts';
import { installationKeyOf } from '../support/installation-key.ts';

const KEY = 'registry.example.com/team/app:1.0 fingerprint';
const TOLD: ToldDigest = {
  digest: `sha256:${'1'.repeat(64)}`,
  mediaType: 'application/vnd.oci.image.index.v1+json',
  host: 'registry.example.com',
  attempts: 2,
  askedAtUnixMs: 1_700_000_000_000,
};
const LONGEST: ToldDigest = {
  ...TOLD,
  digest: `sha512:${'1'.repeat(128)}`,
  mediaType: 'm'.repeat(255),
  host: `${'h'.repeat(253)}:65535`,
};

function sealedUnder(
  cacheKey: string = KEY,
  {
    key = installationKeyOf('ours'),
    scope = 'settings',
  }: { key?: InstallationKey; scope?: string } = {},
) {
  return createSealing(key, scope)(cacheKey);
}

describe('createSealing()', () => {
  it('gives replicas of one installation one name for a key, and opens what another sealed', () => {
    expect(sealedUnder().name).toBe(sealedUnder().name);
    expect(sealedUnder().open(sealedUnder().seal(TOLD))).toEqual(TOLD);
  });

  it.each<[string, ReturnType<typeof sealedUnder>]>([
    ['another image', sealedUnder('registry.example.com/team/app:1.1 fingerprint')],
    ['other credentials', sealedUnder('registry.example.com/team/app:1.0 another')],
    ['another installation', sealedUnder(KEY, { key: installationKeyOf('theirs') })],
    ['other settings', sealedUnder(KEY, { scope: 'others' })],
  ])('has another name for %s, and opens nothing of it', (_what, stranger) => {
    expect(stranger.name).not.toBe(sealedUnder().name);
    expect(stranger.open(sealedUnder().seal(TOLD))).toBeUndefined();
  });

  it('opens nothing of which one bit was changed', () => {
    const { seal, open } = sealedUnder();
    const bytes = Buffer.from(seal(TOLD), 'base64url');
    for (let at = 0; at < bytes.length; at += 1) {
      const changed = Buffer.from(bytes);
      changed[at] = (changed[at] ?? 0) ^ 1;
      expect(open(changed.toString('base64url'))).toBeUndefined();
    }
  });

  it.each([
    ['nothing', ''],
    ['a digest in clear', TOLD.digest],
    ['what is shorter than a tag', 'AAAA'],
    ['what is no text of ours', '\u0000\ufffd'.repeat(40)],
    ['what is too long', 'A'.repeat(MAX_VALUE_CHARS + 1)],
  ])('opens no %s', (_what, text) => {
    expect(sealedUnder().open(text)).toBeUndefined();
  });

  it('opens no shortened value', () => {
    const { seal, open } = sealedUnder();
    const value = seal(TOLD);
    for (const chars of [1, 30, 100, value.length - 4]) {
      expect(open(value.slice(0, chars))).toBeUndefined();
    }
  });

  it('tells neither image nor digest, nor by its length which of them it is', () => {
    const { name, seal } = sealedUnder();
    const bytes = Buffer.from(seal(TOLD), 'base64url').toString('latin1');
    for (const secret of ['registry', 'team', 'fingerprint', TOLD.digest.slice(7), 'oci']) {
      expect(`${name} ${bytes}`).not.toContain(secret);
    }
    expect(name).toMatch(new RegExp(`^${NAME_PREFIX}[A-Za-z0-9_-]{43}$`));
    expect(seal({ ...TOLD, host: 'r.io', mediaType: undefined })).toHaveLength(seal(TOLD).length);
    expect(seal(TOLD)).not.toBe(seal(TOLD));
  });

  it('fits the longest that there may be', () => {
    const { seal, open } = sealedUnder();
    expect(seal(LONGEST).length).toBeLessThanOrEqual(MAX_VALUE_CHARS);
    expect(open(seal(LONGEST))).toEqual(LONGEST);
  });
});
