import type { IncomingMessage } from 'node:http';

import { PinError } from '../errors.ts';

/**
 * An API request is at most 3 MiB (kubernetes/apiserver MaxRequestBodyBytes); a review carries the
 * object and its old state, and some of its own.
 */
export const MAX_BODY_BYTES: number = 7 * 1024 * 1024;

/**
 * Reads and parses the JSON body of a request. Not express.json(): that decodes, inflates and
 * detects character sets, none of which an API server needs, at a third of the price of a review.
 * Throws `unsupported_content_type`, `review_too_large`, `invalid_review`.
 */
export async function readJson(request: IncomingMessage): Promise<unknown> {
  const type = request.headers['content-type'] ?? '';
  if (!/^application\/json\s*(;|$)/i.test(type)) {
    const got = JSON.stringify(type.slice(0, 100));
    throw new PinError('unsupported_content_type', `Cannot read ${got}: send application/json`);
  }
  if (Number(request.headers['content-length'] ?? 0) > MAX_BODY_BYTES) throw tooLarge();
  return parse(await readBytes(request));
}

function readBytes(request: IncomingMessage): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    const chunks: Buffer[] = [];
    let length = 0;
    request.on('data', (chunk: Buffer) => {
      length += chunk.length;
      if (length <= MAX_BODY_BYTES) chunks.push(chunk);
      else reject(tooLarge());
    });
    request.on('end', () => {
      const [first] = chunks;
      resolve(chunks.length === 1 && first !== undefined ? first : Buffer.concat(chunks, length));
    });
    request.on('error', reject);
    request.on('close', () => {
      // Every request closes; an error made for each would cost more than the rest of its review.
      if (!request.complete) reject(new PinError('invalid_review', 'The caller hung up'));
    });
  });
}

function parse(body: Buffer): unknown {
  try {
    return JSON.parse(body.toString('utf8'));
  } catch (caught) {
    throw new PinError('invalid_review', 'Cannot read the admission review: it is not JSON', {
      cause: caught,
    });
  }
}

function tooLarge(): PinError {
  const message = `Cannot read a body of more than ${MAX_BODY_BYTES} bytes`;
  return new PinError('review_too_large', message);
}
