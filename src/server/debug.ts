import { createServer, type Server } from 'node:http';

import express, { type Express, type NextFunction, type Request, type Response } from 'express';

import {
  type DebugQuestion,
  type ExplainFields,
  fieldsOf,
  NO_FIELDS,
  questionOf,
} from '../debug/explain-fields.ts';
import { readFilter } from '../debug/filter.ts';
import { type Overview, overviewPassing } from '../debug/overview.ts';
import { PAGE_POLICY, pageOf } from '../debug/page.ts';
import { toPinError } from '../errors.ts';
import { isJsonObject } from '../json.ts';
import type { Logger } from '../log.ts';
import { errorHandler, notice, sendJson, statusOf } from './debug-answers.ts';
import { createFormToken, type FormToken, refusalOf } from './own-page.ts';

/** An explanation, as `tagpin explain` writes it. */
export type DebugExplain = (question: DebugQuestion, format: 'text' | 'json') => Promise<string>;

export interface DebugServerParts {
  readonly overview: () => Overview;
  /** Rejects with PinError where the question is wrong, or too many are asked at once. */
  readonly explain: DebugExplain;
  readonly log: Logger;
}

/** A page is read in a moment; nobody keeps a connection for long. */
const REQUEST_TIMEOUT_MS = 10_000;
const KEEP_ALIVE_MS = 5000;
const MAX_CONNECTIONS = 32;
const MAX_BODY = '8kb';
const MAX_FIELDS = 10;

const HEADERS: Readonly<Record<string, string>> = {
  'content-security-policy': PAGE_POLICY,
  'x-content-type-options': 'nosniff',
  'x-frame-options': 'DENY',
  'referrer-policy': 'no-referrer',
  'cache-control': 'no-store',
  'cross-origin-opener-policy': 'same-origin',
  'cross-origin-resource-policy': 'same-origin',
  'permissions-policy': 'camera=(), geolocation=(), microphone=()',
};

/** The third port, for loopback: what the webhook knows, and why, to whoever may forward a port to it. */
export function createDebugServer(parts: DebugServerParts): Server {
  const server = createServer(
    {
      headersTimeout: REQUEST_TIMEOUT_MS,
      requestTimeout: REQUEST_TIMEOUT_MS,
      keepAliveTimeout: KEEP_ALIVE_MS,
    },
    createApp(parts),
  );
  server.maxConnections = MAX_CONNECTIONS;
  return server;
}

function createApp(parts: DebugServerParts): Express {
  const app = express();
  app.disable('x-powered-by');
  app.disable('etag');
  app.set('query parser', false);
  app.use(guarded);
  const token = createFormToken();
  const bodies = [
    express.urlencoded({
      extended: false,
      limit: MAX_BODY,
      parameterLimit: MAX_FIELDS,
      inflate: false,
    }),
    express.json({ limit: MAX_BODY, inflate: false }),
  ];
  app.get('/', (_request, response) => response.redirect(303, '/debug'));
  app.get('/debug', (request, response) => {
    const filter = readFilter(queryOf(request));
    const explain = { token: token.text, fields: NO_FIELDS, answer: undefined };
    response.type('html').send(pageOf({ overview: parts.overview(), filter, explain }));
  });
  app.get('/debug.json', (request, response) => {
    const filter = readFilter(queryOf(request));
    sendJson(response, overviewPassing(parts.overview(), filter));
  });
  app.post('/debug/explain', ...bodies, (request: Request, response: Response) =>
    explained(parts, token, { request, response }),
  );
  for (const [path, allowed] of METHODS) {
    app.all(path, (_request, response) => {
      response.setHeader('allow', allowed);
      notice(response, 405, `only ${allowed} here`);
    });
  }
  app.use((_request, response) => notice(response, 404, 'nothing is here'));
  app.use(errorHandler(parts.log));
  return app;
}

const METHODS = [
  ['/', 'GET, HEAD'],
  ['/debug', 'GET, HEAD'],
  ['/debug.json', 'GET, HEAD'],
  ['/debug/explain', 'POST'],
] as const;

function guarded(request: Request, response: Response, next: NextFunction): void {
  response.set(HEADERS);
  const refused = refusalOf(request);
  if (refused === undefined) next();
  else notice(response, refused.status, refused.message);
}

interface Exchange {
  readonly request: Request;
  readonly response: Response;
}

/**
 * A form is answered with the page, JSON with JSON. A page of another origin can send a form, and not
 * know the token; JSON it can send after a preflight request alone, which is not answered.
 */
async function explained(
  parts: DebugServerParts,
  token: FormToken,
  { request, response }: Exchange,
): Promise<void> {
  const body: unknown = request.body;
  const isJson = request.is('application/json') !== false;
  if (!isJsonObject(body)) return notice(response, 415, 'a form or JSON is needed');
  if (!isJson && !token.accepts(body['token'])) {
    return notice(response, 403, 'this form is not of this process: open the page again');
  }
  const fields = fieldsOf(body);
  if (isJson) {
    response.type('json').send(await parts.explain(questionOf(fields), 'json'));
    return;
  }
  const { status, answer } = await answerOf(parts, fields);
  const explain = { token: token.text, fields, answer };
  const page = pageOf({
    overview: parts.overview(),
    filter: readFilter(new URLSearchParams()),
    explain,
  });
  response.status(status).type('html').send(page);
}

/** For a form a mistake is an answer, too. */
async function answerOf(
  { explain }: DebugServerParts,
  fields: ExplainFields,
): Promise<{ readonly status: number; readonly answer: string }> {
  try {
    return { status: 200, answer: await explain(questionOf(fields), 'text') };
  } catch (caught) {
    const error = toPinError(caught);
    const status = statusOf(error);
    if (status === 500) throw caught;
    return { status, answer: error.message };
  }
}

function queryOf({ url }: Request): URLSearchParams {
  const at = url.indexOf('?');
  return new URLSearchParams(at === -1 ? '' : url.slice(at));
}
