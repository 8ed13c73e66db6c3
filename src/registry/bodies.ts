import { PinError } from '../errors.ts';

/** The body of one answer, of which no more than this is wanted. */
interface BodyQuestion {
  readonly url: URL;
  readonly maxBodyBytes: number;
}

/** Reads bodies, and sees that they do not fill the memory together. */
export interface Bodies {
  /**
   * Ends the stream in any case. Throws PinError: `invalid_response` where a body is too long; `unavailable`, which is nothing
   * against the host, where others are being read and there is no room for a long one.
   */
  readonly read: (body: AsyncIterable<Buffer>, question: BodyQuestion) => Promise<Buffer>;
}

/** Of all bodies together, less than half of what the Deployment may use. */
const MAX_BYTES = 32 * 1024 * 1024;
/** There is always room for a body of this size; 96 look-ups take 24 MiB of them. */
const SMALL_BYTES = 256 * 1024;

export function createBodies(): Bodies {
  let all = 0;
  return {
    read: async (body, question) => {
      const read = new GrowingBuffer();
      try {
        for await (const chunk of body) {
          const length = read.length + chunk.length;
          const problem = problemOf(question, length, all + chunk.length);
          if (problem !== undefined) throw problem;
          read.append(chunk);
          all += chunk.length;
        }
        return read.whole();
      } finally {
        all -= read.length;
      }
    },
  };
}

function problemOf(
  { url: { host, hostname }, maxBodyBytes }: BodyQuestion,
  length: number,
  all: number,
): PinError | undefined {
  if (length > maxBodyBytes) {
    const message = `${host} sent more than ${maxBodyBytes} bytes`;
    return new PinError('invalid_response', message, { host: hostname });
  }
  if (all <= MAX_BYTES || length <= SMALL_BYTES) return undefined;
  const message = `${host} sent more than ${SMALL_BYTES / 1024} KiB while too many long answers were being read`;
  return new PinError('unavailable', message, { host: hostname, asked: false });
}

/**
 * Copies what it is given, but for what comes in one piece: a chunk of one byte is an object of a
 * hundred, and keeps all alive that came with it.
 */
class GrowingBuffer {
  #bytes: Buffer = Buffer.alloc(0);
  #length = 0;

  get length(): number {
    return this.#length;
  }

  append(chunk: Buffer): void {
    const length = this.#length + chunk.length;
    if (this.#length === 0) this.#bytes = chunk;
    else {
      if (length > this.#bytes.length) this.#grow(length);
      this.#bytes.set(chunk, this.#length);
    }
    this.#length = length;
  }

  whole(): Buffer {
    return this.#bytes.subarray(0, this.#length);
  }

  #grow(length: number): void {
    const larger = Buffer.allocUnsafeSlow(Math.max(length, 2 * this.#bytes.length));
    larger.set(this.#bytes.subarray(0, this.#length));
    this.#bytes = larger;
  }
}
