import { describe, expect, it } from '@jest/globals';

import { readInstallationKey } from '../src/installation-key.ts';
import { Files } from './support/files.ts';

const SECRET = '0123456789abcdef0123456789abcdef';

describe('readInstallationKey()', () => {
  it('gives whoever has the same file the same key for a purpose, and another for each purpose', async () => {
    await using files = new Files();
    const one = readInstallationKey(files.write('one', SECRET));
    const other = readInstallationKey(files.write('other', SECRET));
    expect(one.keyFor('snapshot')).toEqual(other.keyFor('snapshot'));
    expect(one.keyFor('snapshot')).not.toEqual(one.keyFor('credential fingerprints'));
    expect(one.keyFor('snapshot')).not.toEqual(one.keyFor('shared cache'));
    expect(one.keyFor('snapshot', 'a')).not.toEqual(one.keyFor('snapshot', 'b'));
    expect(one.keyFor('snapshot', 'a')).toEqual(other.keyFor('snapshot', 'a'));
  });

  it('derives by HKDF with SHA-256, so that other programs can', async () => {
    await using files = new Files();
    // Made with Python: hmac of 32 zeros and the secret, and of that the info and a byte of one.
    const { keyFor } = readInstallationKey(files.write('key', SECRET));
    expect(keyFor('credential fingerprints').toString('hex')).toBe(
      '457c4cf82153538904770b4b2e926eba1fbb5bbc7362117f00ea28decb0d4c13',
    );
  });

  it('gives another file another key', async () => {
    await using files = new Files();
    const one = readInstallationKey(files.write('one', SECRET));
    const other = readInstallationKey(files.write('other', `${SECRET}\n`));
    expect(one.keyFor('snapshot')).not.toEqual(other.keyFor('snapshot'));
  });

  it.each([
    ['one byte too short', SECRET.slice(1)],
    ['empty', ''],
    ['one byte too long', 'x'.repeat(4097)],
  ])('refuses a file that is %s, and tells nothing of it', async (_what, text) => {
    await using files = new Files();
    const file = files.write('key', text);
    expect(() => readInstallationKey(file)).toThrow(
      expect.objectContaining({
        code: 'invalid_config',
        message: `Cannot use ${file}: an installation key is a file of 32 to 4096 random bytes`,
      }),
    );
  });

  it('takes the longest', async () => {
    await using files = new Files();
    const file = files.write('key', 'x'.repeat(4096));
    expect(readInstallationKey(file).keyFor('snapshot')).toHaveLength(32);
  });

  it('refuses what is not there, and what is no file', async () => {
    await using files = new Files();
    const missing = files.at('missing');
    const message = `Cannot read ${missing}`;
    const refusal = expect.objectContaining({ code: 'invalid_config', message });
    expect(() => readInstallationKey(missing)).toThrow(refusal);
    const noFile = expect.objectContaining({ code: 'invalid_config' });
    expect(() => readInstallationKey(files.directory)).toThrow(noFile);
  });
});
