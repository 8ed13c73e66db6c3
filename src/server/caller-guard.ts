import type { RequestListener, ServerResponse } from 'node:http';

import { splitCallerPath } from '../caller-path.ts';
import { PinError } from '../errors.ts';
import { discardBody } from './body.ts';
import { type CallerRefusalsParts, createCallerRefusals } from './caller-refusals.ts';

export interface CallerGuardParts extends CallerRefusalsParts {
  /** Tells whether a token is one of those that the API server was given. */
  readonly accepts: (token: string) => boolean;
}

/**
 * Lets a call through whose path begins with `/caller/TOKEN`, without these: what comes after it sees
 * no token, and can write none down. Any other is refused with the same words, whatever it asks for.
 */
export function guardCallers(app: RequestListener, parts: CallerGuardParts): RequestListener {
  const countRefused = createCallerRefusals('path', parts);
  return (request, response) => {
    const { token, route } = splitCallerPath(request.url ?? '');
    if (token !== undefined && parts.accepts(token)) {
      request.url = route;
      app(request, response);
      return;
    }
    countRefused();
    discardBody(request, () => refuse(response));
  };
}

function refuse(response: ServerResponse): void {
  const error = new PinError('unknown_caller', 'The path names no caller that is known here');
  const body = JSON.stringify({ error: error.message, reason: error.code });
  response.writeHead(error.rule.httpStatus, {
    'content-type': 'application/json',
    'content-length': Buffer.byteLength(body),
    connection: 'close',
  });
  response.end(body);
}
