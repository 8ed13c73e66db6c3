import { ByteReader } from './byte-reader.ts';
import { decompressed } from './decompression.ts';
import { type TarMember, tarMembers } from './tar-members.ts';

const ALL = Number.POSITIVE_INFINITY;

/**
 * The files of a layer, as its archive lists them; gzip, zstd or neither. All bytes are read, those
 * behind the archive's end too, so that `content` can tell whether they have the digest.
 *
 * @throws PinError `unsupported_manifest` where it is no archive, or is damaged; but what `content`
 * throws goes before that, as what is not the layer need not be one
 */
export async function* layerFiles(
  content: AsyncIterable<Uint8Array>,
): AsyncGenerator<TarMember, void> {
  const source = new Source(content);
  const archive = decompressed(source);
  try {
    const reader = new ByteReader(archive);
    yield* tarMembers(reader);
    await reader.skip(ALL);
    await source.readOn();
  } catch (caught) {
    await source.readOn();
    throw caught;
  } finally {
    await archive.return();
    await source.leave();
  }
}

/** A stream that outlives who reads it, and remembers how it ended. */
class Source implements AsyncIterable<Uint8Array> {
  readonly #chunks: AsyncIterator<Uint8Array>;
  #failure: { readonly caught: unknown } | undefined;

  constructor(content: AsyncIterable<Uint8Array>) {
    this.#chunks = content[Symbol.asyncIterator]();
  }

  /** Leaving it early leaves the rest where it is. */
  [Symbol.asyncIterator](): AsyncIterator<Uint8Array> {
    return { next: () => this.#next() };
  }

  /** Reads what is left; throws what anybody met in it. */
  async readOn(): Promise<void> {
    // oxlint-disable-next-line no-await-in-loop -- a stream comes in order
    while (this.#failure === undefined && (await this.#next()).done !== true);
    if (this.#failure !== undefined) throw this.#failure.caught;
  }

  async leave(): Promise<void> {
    await this.#chunks.return?.();
  }

  async #next(): Promise<IteratorResult<Uint8Array>> {
    try {
      return await this.#chunks.next();
    } catch (caught) {
      this.#failure = { caught };
      throw caught;
    }
  }
}
