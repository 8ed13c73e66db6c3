import type { IncomingMessage } from 'node:http';

import { PinError } from '../errors.ts';

/**
 * An API request is at most 3 MiB (kubernetes/apiserver MaxRequestBodyBytes); a review carries the
 * object and its old state, and some of its own.
 */
export const MAX_BODY_BYTES: number = 7 * 1024 * 1024;

/** What came of reading a body. A value of its own, as any JSON may be in it. */
export type BodyOutcome = { readonly value: unknown } | PinError;

/**
 * Reads and parses the JSON body of a request, and calls back once: with the value, or with
 * `unsupported_content_type`, `review_too_large`, `invalid_review`.
 *
 * Not express.json(), which decodes, inflates and detects character sets that no API server sends;
 * and no promise, so that a warm review is answered in the turn in which its last byte arrives.
 */
export function readJson(request: IncomingMessage, ended: (outcome: BodyOutcome) => void): void {
  const refusal = refusalOf(request);
  if (refusal !== undefined) {
    ended(refusal);
    return;
  }
  const chunks: Buffer[] = [];
  let length = 0;
  let open = true;
  const end = (outcome: BodyOutcome): void => {
    if (open) ended(outcome);
    open = false;
  };
  request.on('data', (chunk: Buffer) => {
    length += chunk.length;
    if (length > MAX_BODY_BYTES) end(tooLarge());
    else if (open) chunks.push(chunk);
  });
  request.on('end', () => {
    if (open) end(parse(chunks, length));
  });
  // Every request closes; an error made for each would cost more than the rest of its review.
  request.on('close', () => {
    if (open) end(new PinError('invalid_review', 'The caller hung up'));
  });
  request.on('error', (cause) => {
    end(new PinError('invalid_review', 'The caller broke off', { cause }));
  });
}

/** What can be said of the headers alone. */
function refusalOf({ headers }: IncomingMessage): PinError | undefined {
  const type = headers['content-type'] ?? '';
  if (type !== 'application/json' && !/^application\/json\s*(;|$)/i.test(type)) {
    const got = JSON.stringify(type.slice(0, 100));
    return new PinError('unsupported_content_type', `Cannot read ${got}: send application/json`);
  }
  return Number(headers['content-length'] ?? 0) > MAX_BODY_BYTES ? tooLarge() : undefined;
}

function parse(chunks: readonly Buffer[], length: number): BodyOutcome {
  const [first] = chunks;
  const body = chunks.length === 1 && first !== undefined ? first : Buffer.concat(chunks, length);
  try {
    return { value: JSON.parse(body.toString('utf8')) };
  } catch {
    // Without its cause: the parser's message quotes the body, and a review may hold a password.
    return new PinError('invalid_review', 'Cannot read the admission review: it is not JSON');
  }
}

function tooLarge(): PinError {
  const message = `Cannot read a body of more than ${MAX_BODY_BYTES} bytes`;
  return new PinError('review_too_large', message);
}
