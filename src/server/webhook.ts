import express, { type Express, type NextFunction, type Request, type Response } from 'express';

import type { DigestsJudge } from '../admission/digests.ts';
import type { AdmissionHandler } from '../admission/handler.ts';
import { MODES } from '../admission/policy.ts';
import { type AdmissionResponse, encodeResponse } from '../admission/response.ts';
import { decodeReview, type Review } from '../admission/review.ts';
import { PinError, toPinError } from '../errors.ts';
import { describeError, type Logger } from '../log.ts';
import { discardBody, readJson } from './body.ts';
import { budgetMs } from './deadline.ts';
import { traceparentOf } from './traceparent.ts';

export interface WebhookParts {
  readonly handle: AdmissionHandler;
  readonly judge: DigestsJudge;
  readonly log: Logger;
  readonly isDraining: () => boolean;
  readonly observeRefused: (code: string) => void;
  readonly observeInFlight: (change: 1 | -1) => void;
  /** Whether the event loop is so late that look-ups are better left to another replica. */
  readonly isLate: () => boolean;
  /** The clock of `performance.now()`, in milliseconds. */
  readonly now: () => number;
}

/** More reviews than this at once are put off; each holds its body in memory. */
const MAX_IN_FLIGHT = 500;
/** So many wait for look-ups even while the event loop is late: it is slow then, and does not stand. */
const MAX_LATE_LOOK_UPS = 16;

/** A decoded review, and its times on the clock of `performance.now()`. */
interface Reviewed {
  readonly review: Review;
  readonly mayLookUp: boolean;
  readonly startedAtMs: number;
  readonly deadlineAtMs: number;
}

type Answers = (reviewed: Reviewed) => AdmissionResponse | Promise<AdmissionResponse>;

/** `POST /admission/<mode>` and `POST /validate/digests`: all that an API server calls. */
export function createWebhookApp(parts: WebhookParts): Express {
  const app = express();
  app.disable('x-powered-by');
  app.disable('etag');
  app.set('query parser', false);
  const calls = new Map<string, Answers>([
    ['/validate/digests', ({ review }) => parts.judge(review)],
  ]);
  for (const mode of MODES) {
    calls.set(`/admission/${mode}`, ({ review, mayLookUp, startedAtMs, deadlineAtMs }) =>
      parts.handle({ review, mode, mayLookUp, startedAtMs, deadlineAtMs }),
    );
  }
  const serve = serving(parts);
  // One layer for all of them: express would hold the path against a pattern for each, of every call.
  app.use((request, response, next) => {
    const answers = request.method === 'POST' ? calls.get(pathOf(request.url)) : undefined;
    if (answers === undefined) next();
    else serve(answers, { request, response, next });
  });
  app.use((request, response) => {
    response.status(404).json({ error: `no ${request.method} ${request.path} here` });
  });
  app.use(errorHandler(parts));
  return app;
}

/** The API server adds `?timeout=10s`. */
function pathOf(url: string): string {
  const end = url.indexOf('?');
  return end === -1 ? url : url.slice(0, end);
}

/** What express gives for each call. */
interface Exchange {
  readonly request: Request;
  readonly response: Response;
  readonly next: NextFunction;
}

/** Reviews of this server. */
interface Load {
  inFlight: number;
  /** Of them, those that wait for a look-up. */
  waiting: number;
}

/** Reads the review of a call and has it answered, unless there are too many already. */
function serving(parts: WebhookParts): (answers: Answers, exchange: Exchange) => void {
  const load: Load = { inFlight: 0, waiting: 0 };
  return (answers, { request, response, next }) => {
    const startedAtMs = parts.now();
    if (load.inFlight >= MAX_IN_FLIGHT) {
      const error = new PinError('overloaded', `${MAX_IN_FLIGHT} reviews are being answered`);
      discardBody(request, () => next(error));
      return;
    }
    load.inFlight += 1;
    parts.observeInFlight(1);
    response.once('close', () => {
      load.inFlight -= 1;
      parts.observeInFlight(-1);
    });
    readJson(request, (body) => {
      if (body instanceof PinError) next(body);
      else answer(parts, { load, answers, startedAtMs, body: body.value, request, response, next });
    });
  };
}

interface Call extends Exchange {
  readonly answers: Answers;
  readonly load: Load;
  readonly startedAtMs: number;
  readonly body: unknown;
}

/** Answers at once where the handler does; express catches nothing in a callback. */
function answer(parts: WebhookParts, call: Call): void {
  const { answers, load, startedAtMs, request, next } = call;
  const send = (answered: AdmissionResponse): void => respond(parts, call, answered);
  try {
    const review = decodeReview(call.body, traceparentOf(request.headers));
    const deadlineAtMs = startedAtMs + budgetMs(request.url);
    const mayLookUp = !parts.isLate() || load.waiting < MAX_LATE_LOOK_UPS;
    const handled = answers({ review, mayLookUp, startedAtMs, deadlineAtMs });
    if (handled instanceof Promise) void sendLater(handled, send, call);
    else send(handled);
  } catch (caught) {
    next(caught);
  }
}

async function sendLater(
  handled: Promise<AdmissionResponse>,
  send: (answered: AdmissionResponse) => void,
  { load, next }: Pick<Call, 'load' | 'next'>,
): Promise<void> {
  load.waiting += 1;
  try {
    send(await handled);
  } catch (caught) {
    next(caught);
  } finally {
    load.waiting -= 1;
  }
}

function respond(
  { isDraining }: WebhookParts,
  { response }: Call,
  answered: AdmissionResponse,
): void {
  const { text, bytes } = encodeResponse(answered);
  if (isDraining()) response.setHeader('connection', 'close');
  response.writeHead(200, { 'content-type': 'application/json', 'content-length': bytes });
  // Nearly every answer is ASCII, which is copied, where UTF-8 is encoded.
  response.end(text, bytes === text.length ? 'latin1' : 'utf8');
}

/**
 * What is no answer to a review. With 503 and Retry-After the API server calls again within its
 * deadline; with any other error the failure policy of the webhook decides.
 */
function errorHandler(parts: WebhookParts) {
  // oxlint-disable-next-line max-params -- express tells an error handler by its four parameters
  return (caught: unknown, request: Request, response: Response, _next: NextFunction): void => {
    const error = toPinError(caught);
    const status = error.rule.httpStatus === 200 ? 500 : error.rule.httpStatus;
    parts.observeRefused(error.code);
    const traceparent = traceparentOf(request.headers);
    const fields = { path: request.path, traceparent, code: error.code, ...describeError(error) };
    if (status === 500) parts.log.error({ ...fields, stack: stackOf(caught) }, 'review failed');
    else parts.log.warn(fields, 'review refused');
    if (response.headersSent) return;
    if (status === 503) response.setHeader('retry-after', '1');
    response.setHeader('connection', 'close');
    response.status(status).json({ error: error.message, reason: error.code });
  };
}

function stackOf(caught: unknown): string | undefined {
  return Error.isError(caught) ? caught.stack : undefined;
}
