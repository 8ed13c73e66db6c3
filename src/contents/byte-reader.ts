const NOTHING: Uint8Array = new Uint8Array();

/** Takes bytes by number out of a stream whose chunks have any length; holds no more than one request. */
export class ByteReader {
  readonly #chunks: AsyncIterator<Uint8Array>;
  /** Came, and was not taken. */
  #held: Uint8Array = NOTHING;

  constructor(content: AsyncIterable<Uint8Array>) {
    this.#chunks = content[Symbol.asyncIterator]();
  }

  /** The next bytes, fewer at the end. They stay where they are. */
  async peek(count: number): Promise<Uint8Array> {
    const pieces = [this.#held];
    for (let length = this.#held.length; length < count; ) {
      // oxlint-disable-next-line no-await-in-loop -- a stream comes in order
      const { done, value } = await this.#chunks.next();
      if (done === true) break;
      pieces.push(value);
      length += value.length;
    }
    if (pieces.length > 1) this.#held = Buffer.concat(pieces);
    return this.#held.subarray(0, count);
  }

  /** The next bytes, fewer at the end. */
  async take(count: number): Promise<Uint8Array> {
    const taken = await this.peek(count);
    this.#held = this.#held.subarray(taken.length);
    return taken;
  }

  /** The next bytes as they come, fewer at the end. */
  async *pass(count: number): AsyncGenerator<Uint8Array, void> {
    for (let left = count; left > 0; ) {
      // oxlint-disable-next-line no-await-in-loop -- a stream comes in order
      await this.peek(1);
      const piece = this.#held.subarray(0, left);
      if (piece.length === 0) return;
      this.#held = this.#held.subarray(piece.length);
      left -= piece.length;
      yield piece;
    }
  }

  /** Tells whether there were as many. */
  async skip(count: number): Promise<boolean> {
    let left = count;
    // oxlint-disable-next-line no-await-in-loop -- a stream comes in order
    for await (const piece of this.pass(count)) left -= piece.length;
    return left === 0;
  }
}
