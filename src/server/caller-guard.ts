import type { RequestListener, ServerResponse } from 'node:http';

import { splitCallerPath } from '../caller-path.ts';
import { PinError } from '../errors.ts';
import type { Logger } from '../log.ts';
import { discardBody } from './body.ts';

export interface CallerGuardParts {
  /** Tells whether a token is one of those that the API server was given. */
  readonly accepts: (token: string) => boolean;
  readonly observeRefused: (code: string) => void;
  readonly log: Logger;
  /** The clock of `performance.now()`, in milliseconds. */
  readonly now: () => number;
}

/** Anybody may call, as often as they like, and is not to fill the log. */
const LOG_EVERY_MS = 60_000;

/**
 * Lets a call through whose path begins with `/caller/TOKEN`, without these: what comes after it sees
 * no token, and can write none down. Any other is refused with the same words, whatever it asks for.
 */
export function guardCallers(app: RequestListener, parts: CallerGuardParts): RequestListener {
  const refuse = createRefusal(parts);
  return (request, response) => {
    const { token, route } = splitCallerPath(request.url ?? '');
    if (token !== undefined && parts.accepts(token)) {
      request.url = route;
      app(request, response);
    } else {
      discardBody(request, () => refuse(response));
    }
  };
}

function createRefusal({ observeRefused, log, now }: CallerGuardParts) {
  let loggedAtMs = Number.NEGATIVE_INFINITY;
  let unlogged = 0;
  return (response: ServerResponse): void => {
    const error = new PinError('unknown_caller', 'The path names no caller that is known here');
    observeRefused(error.code);
    unlogged += 1;
    if (now() - loggedAtMs >= LOG_EVERY_MS) {
      log.warn({ code: error.code, calls: unlogged }, 'callers refused');
      loggedAtMs = now();
      unlogged = 0;
    }
    const body = JSON.stringify({ error: error.message, reason: error.code });
    response.writeHead(error.rule.httpStatus, {
      'content-type': 'application/json',
      'content-length': Buffer.byteLength(body),
      connection: 'close',
    });
    response.end(body);
  };
}
