import type { ByteReader } from './byte-reader.ts';
import { damaged } from './damage.ts';

// RFC 8878, sections 3.1.1 (frames) and 3.1.2 (frames to be skipped).
const MAGIC = 0xfd2fb528;
const SKIPPABLE = 0x184d2a50;
const SKIPPABLE_MASK = 0xfffffff0;
const SINGLE_SEGMENT = 0x20;
const CHECKSUM = 0x04;
const CHECKSUM_BYTES = 4;
const DICTIONARY_BYTES = [0, 1, 2, 4] as const;
const SIZE_BYTES = [0, 2, 4, 8] as const;
const BLOCK_HEADER_BYTES = 3;
const RUN = 1;
const RESERVED = 3;

/**
 * The bytes of a zstd stream, in chunks of which none reaches beyond a frame. zlib's decompressor of
 * Node reads the next frame when the next chunk begins with it, and takes a frame that ends within a
 * chunk for the end of everything; layers of many frames are common (zstd:chunked).
 *
 * @throws PinError `unsupported_manifest` where a frame is cut off, or is none
 */
export async function* zstdFrames(reader: ByteReader): AsyncGenerator<Uint8Array, void> {
  for (;;) {
    // oxlint-disable-next-line no-await-in-loop -- a stream comes in order
    const start = await reader.take(4);
    if (start.length === 0) return;
    const magic = numberOf(start);
    yield start;
    if (magic === MAGIC) yield* frame(reader);
    else if ((magic & SKIPPABLE_MASK) === SKIPPABLE) yield* skippable(reader);
    else throw damaged('what follows a frame of zstd is none');
  }
}

async function* skippable(reader: ByteReader): AsyncGenerator<Uint8Array, void> {
  const size = await exactly(reader, 4);
  yield size;
  yield* all(reader, numberOf(size));
}

async function* frame(reader: ByteReader): AsyncGenerator<Uint8Array, void> {
  const first = await exactly(reader, 1);
  yield first;
  const descriptor = numberOf(first);
  yield* all(reader, restOfHeaderBytes(descriptor));
  for (let isLast = false; !isLast; ) {
    // oxlint-disable-next-line no-await-in-loop -- a stream comes in order
    const header = await exactly(reader, BLOCK_HEADER_BYTES);
    yield header;
    const block = numberOf(header);
    const type = (block >> 1) & 3;
    if (type === RESERVED) throw damaged('a block of zstd has no known type');
    yield* all(reader, type === RUN ? 1 : block >> 3);
    isLast = (block & 1) === 1;
  }
  if ((descriptor & CHECKSUM) !== 0) yield* all(reader, CHECKSUM_BYTES);
}

/** Section 3.1.1.1: window, dictionary and size of the content. */
function restOfHeaderBytes(descriptor: number): number {
  const isSingle = (descriptor & SINGLE_SEGMENT) !== 0;
  const sizeFlag = descriptor >> 6;
  const size = sizeFlag === 0 && isSingle ? 1 : (SIZE_BYTES[sizeFlag] ?? 0);
  return (isSingle ? 0 : 1) + (DICTIONARY_BYTES[descriptor & 3] ?? 0) + size;
}

async function exactly(reader: ByteReader, count: number): Promise<Uint8Array> {
  const bytes = await reader.take(count);
  if (bytes.length < count) throw damaged('its zstd data is cut off');
  return bytes;
}

async function* all(reader: ByteReader, count: number): AsyncGenerator<Uint8Array, void> {
  let left = count;
  for await (const piece of reader.pass(count)) {
    left -= piece.length;
    yield piece;
  }
  if (left > 0) throw damaged('its zstd data is cut off');
}

/** Of at most four bytes, the least significant one first. */
function numberOf(bytes: Uint8Array): number {
  return bytes.reduceRight((value, byte) => value * 256 + byte, 0);
}
