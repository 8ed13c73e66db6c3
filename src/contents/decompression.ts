import { PassThrough, pipeline, type Readable } from 'node:stream';
import { createGunzip, createZstdDecompress } from 'node:zlib';

import { PinError } from '../errors.ts';
import { ByteReader } from './byte-reader.ts';
import { damaged } from './damage.ts';
import { zstdFrames } from './zstd-frames.ts';

const ALL = Number.POSITIVE_INFINITY;

/** By their first bytes, as containerd does: media types are wrong now and then. */
const FORMATS = [
  { magic: Buffer.from([0x1f, 0x8b, 0x08]), open: gunzipped },
  { magic: Buffer.from([0x28, 0xb5, 0x2f, 0xfd]), open: unpackedZstd },
  // A frame that is skipped (RFC 8878, section 3.1.2) may come first.
  ...Array.from({ length: 16 }, (_, index) => ({
    magic: Buffer.from([0x50 + index, 0x2a, 0x4d, 0x18]),
    open: unpackedZstd,
  })),
];

/**
 * The bytes of an archive that may be compressed by gzip or zstd. Throws PinError
 * `unsupported_manifest` where that is damaged, and whatever `content` throws.
 */
export async function* decompressed(
  content: AsyncIterable<Uint8Array>,
): AsyncGenerator<Uint8Array, void> {
  const reader = new ByteReader(content);
  const start = Buffer.from(await reader.peek(4));
  const format = FORMATS.find(({ magic }) => start.subarray(0, magic.length).equals(magic));
  yield* format === undefined ? reader.pass(ALL) : format.open(reader);
}

function gunzipped(reader: ByteReader): AsyncGenerator<Uint8Array, void> {
  return through(reader.pass(ALL), createGunzip(), 'gzip');
}

function unpackedZstd(reader: ByteReader): AsyncGenerator<Uint8Array, void> {
  return through(zstdFrames(reader), createZstdDecompress(), 'zstd');
}

async function* through(
  content: AsyncIterable<Uint8Array>,
  engine: ReturnType<typeof createGunzip> | ReturnType<typeof createZstdDecompress>,
  name: string,
): AsyncGenerator<Uint8Array, void> {
  const output: Readable = pipeline(content, engine, new PassThrough(), () => {
    // Reading it throws the same.
  });
  try {
    for await (const chunk of output) yield chunk;
  } catch (caught) {
    if (caught instanceof PinError) throw caught;
    throw damaged(`its ${name} data is damaged`, caught);
  }
}
