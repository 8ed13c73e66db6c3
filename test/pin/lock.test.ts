import { describe, expect, it } from '@jest/globals';

import { isDigest } from '../../src/image/digest.ts';
import { readLock } from '../../src/pin/lock.ts';
import { digest } from '../support/admission.ts';

const [A, B] = [digest('a'), digest('b')];
const NAME = 'docker.io/library/nginx';

describe('readLock()', () => {
  it('gives back what it read, sorted', () => {
    const head = readLock('', 'f').toText();
    const text = `${head}a.io/x:1@${A}\n${NAME}:1.27@${A}\n`;
    expect(readLock(text, 'f').toText()).toBe(text);
    const shuffled = `${NAME}:1.27@${A}\n${head}a.io/x:1@${A}\n`;
    expect(readLock(shuffled, 'f').toText()).toBe(text);
  });

  it('learns, and tells what nothing asked for', () => {
    const lock = readLock(`${NAME}:1@${A}\n${NAME}:2@${B}\na.io/x:1@${A}\n`, 'f');
    expect(lock.digestFor(NAME, '1')).toBe(A);
    expect(lock.digestFor(NAME, '3')).toBeUndefined();
    if (isDigest(B)) lock.set(NAME, '3', B);
    expect(lock.digestFor(NAME, '3')).toBe(B);
    expect(lock.unused()).toEqual(['a.io/x:1', `${NAME}:2`]);
  });

  it('knows the tag of a digest where there is one alone', () => {
    const lock = readLock(`${NAME}:1@${A}\n${NAME}:2@${B}\n${NAME}:3@${B}\n`, 'f');
    expect(lock.tagOf(NAME, A)).toBe('1');
    expect(lock.tagOf(NAME, B)).toBeUndefined();
    expect(lock.tagOf('docker.io/library/other', A)).toBeUndefined();
  });

  it('names the line that it cannot read', () => {
    expect(() => readLock(`# x\n${NAME}\n`, 'tagpin.lock')).toThrow('tagpin.lock:2');
  });
});
