import { describe, expect, it } from '@jest/globals';

import { createSealing, openSealed, SEAL_BYTES } from '../../src/snapshot/sealing.ts';

const KEY = Buffer.alloc(32, 1);
const DAMAGED = {
  refusal: 'it is damaged, or was written under another key or other settings of registries',
};
const FOREIGN = { refusal: 'it is no snapshot' };
const TEXT = 'a line\nand ünother one\n';

function sealed(text = TEXT, key = KEY): Buffer {
  const sealing = createSealing(key);
  const half = Math.floor(text.length / 2);
  const pieces = [text.slice(0, half), text.slice(half)].map(sealing.add);
  return Buffer.concat([sealing.begin(), ...pieces, sealing.end()]);
}

describe('openSealed()', () => {
  it('gives what was sealed under the key', () => {
    const bytes = sealed();
    expect(openSealed(KEY, bytes)).toEqual({ text: Buffer.from(TEXT) });
    expect(bytes).toHaveLength(Buffer.byteLength(TEXT) + SEAL_BYTES);
    expect(openSealed(KEY, sealed(''))).toEqual({ text: Buffer.alloc(0) });
  });

  it('gives nothing of what was sealed under another key', () => {
    expect(openSealed(Buffer.alloc(32, 2), sealed())).toEqual(DAMAGED);
  });

  it('gives nothing of what is cut off anywhere', () => {
    const bytes = sealed();
    const head = bytes.indexOf('\n') + 1;
    const opened = Array.from(bytes, (_byte, length) => openSealed(KEY, bytes.subarray(0, length)));
    expect(opened.slice(head)).toEqual(opened.slice(head).map(() => DAMAGED));
    expect(opened.slice(0, head).filter((one) => 'text' in one)).toEqual([]);
  });

  it('gives nothing of what differs in any bit', () => {
    const bytes = sealed();
    for (let bit = 0; bit < bytes.length * 8; bit += 1) {
      const changed = Buffer.from(bytes);
      changed.writeUInt8(changed.readUInt8(bit >> 3) ^ (1 << (bit & 7)), bit >> 3);
      expect(openSealed(KEY, changed)).toHaveProperty('refusal');
    }
  });

  it('gives nothing of what is longer, or put together from two', () => {
    const [one, other] = [sealed(), sealed()];
    expect(openSealed(KEY, Buffer.concat([one, Buffer.from('x')]))).toEqual(DAMAGED);
    expect(openSealed(KEY, Buffer.concat([one, other]))).toEqual(DAMAGED);
    const mixed = Buffer.concat([one.subarray(0, 40), other.subarray(40)]);
    expect(openSealed(KEY, mixed)).toEqual(DAMAGED);
  });

  it.each([
    ['is empty', ''],
    ['is something else', '{"auths":{}}'],
    ['begins like one', 'tagpin snap'],
  ])('tells of a file that %s that it is no snapshot', (_what, text) => {
    expect(openSealed(KEY, Buffer.from(text))).toEqual(FOREIGN);
  });

  it('tells of another version that it is one', () => {
    const bytes = Buffer.from(`tagpin snapshot 2\n${'x'.repeat(100)}`);
    expect(openSealed(KEY, bytes)).toEqual({ refusal: 'another version of tagpin wrote it' });
  });
});

describe('createSealing()', () => {
  it('tells nothing of the text, and seals equal texts differently', () => {
    const bytes = sealed('canary'.repeat(10));
    expect(bytes.includes('canary')).toBe(false);
    expect(sealed()).not.toEqual(sealed());
  });
});
