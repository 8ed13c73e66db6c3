import type { IncomingMessage } from 'node:http';

import { PinError } from '../errors.ts';
import type { HeldBody } from './held-bodies.ts';

/**
 * An API request is at most 3 MiB (kubernetes/apiserver MaxRequestBodyBytes); a review carries the
 * object and its old state, and some of its own.
 */
const MAX_BODY_BYTES = 7 * 1024 * 1024;

/**
 * As much of a refused body is read, and thrown away: an answer before the end of a call that is
 * still being sent meets a reset connection, and the caller never sees it.
 */
const MAX_DISCARDED_BYTES = 4 * MAX_BODY_BYTES;

/** What came of reading a body. A value of its own, as any JSON may be in it. */
export type BodyOutcome = { readonly value: unknown } | PinError;

/**
 * Reads and parses the JSON body of a request, and calls back once: with the value, or with
 * `unsupported_content_type`, `review_too_large`, `invalid_review`, or `overloaded` where others have
 * too many bytes in memory. Of a value the bytes count as held until they are released; of an error none.
 *
 * Not express.json(), which decodes, inflates and detects character sets that no API server sends;
 * and no promise, so that a warm review is answered in the turn in which its last byte arrives.
 */
export function readJson(
  request: IncomingMessage,
  held: HeldBody,
  ended: (outcome: BodyOutcome) => void,
): void {
  let refusal = refusalOf(request);
  const chunks: Buffer[] = [];
  let length = 0;
  const end = (outcome: BodyOutcome): void => {
    if (outcome instanceof PinError) held.release();
    ended(outcome);
  };
  onBody(request, {
    chunk: (chunk) => {
      if (refusal !== undefined) return;
      length += chunk.length;
      if (length > MAX_BODY_BYTES) refusal = tooLarge();
      else if (!held.add(chunk.length)) refusal = overloaded();
      if (refusal === undefined) chunks.push(chunk);
      else {
        // What comes of it now is read, and thrown away.
        chunks.length = 0;
        held.release();
      }
    },
    ended: (broken) => end(broken ?? refusal ?? parse(chunks, length)),
  });
}

/** Reads the body of a call that is refused whatever it says, and calls back when it is over. */
export function discardBody(request: IncomingMessage, ended: () => void): void {
  onBody(request, { chunk: () => {}, ended });
}

/** Ends once: with the body, with more than anyone need read of it, or with the connection. */
function onBody(
  request: IncomingMessage,
  reader: {
    readonly chunk: (chunk: Buffer) => void;
    readonly ended: (broken?: PinError) => void;
  },
): void {
  let length = 0;
  let open = true;
  const end = (broken?: PinError): void => {
    if (open) reader.ended(broken);
    open = false;
  };
  request.on('data', (chunk: Buffer) => {
    if (open) reader.chunk(chunk);
    length += chunk.length;
    if (length > MAX_DISCARDED_BYTES) end();
  });
  request.on('end', () => end());
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
  if (type === 'application/json' || /^application\/json\s*(;|$)/i.test(type)) return undefined;
  const got = JSON.stringify(type.slice(0, 100));
  return new PinError('unsupported_content_type', `Cannot read ${got}: send application/json`);
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

function overloaded(): PinError {
  return new PinError('overloaded', 'Other reviews have too many bytes in memory');
}
