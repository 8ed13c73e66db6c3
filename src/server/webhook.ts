import type { IncomingMessage, RequestListener, ServerResponse } from 'node:http';

import type { DigestsJudge } from '../admission/digests.ts';
import type { AdmissionHandler } from '../admission/handler.ts';
import { MODES } from '../admission/policy.ts';
import { type AdmissionResponse, encodeResponse } from '../admission/response.ts';
import { decodeReview, type Review } from '../admission/review.ts';
import { PinError, toPinError } from '../errors.ts';
import { describeError, type Logger } from '../log.ts';
import { discardBody, readJson } from './body.ts';
import { budgetMs } from './deadline.ts';
import { createLateLookUps, type LateLookUps } from './late-look-ups.ts';
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

/** A decoded review, and its times on the clock of `performance.now()`. */
interface Reviewed {
  readonly review: Review;
  readonly mayLookUp: boolean;
  readonly startedAtMs: number;
  readonly deadlineAtMs: number;
}

type Answers = (reviewed: Reviewed) => AdmissionResponse | Promise<AdmissionResponse>;

/**
 * `POST /admission/<mode>` and `POST /validate/digests`: all that an API server calls. Without express,
 * which gives each request and each answer another prototype: that alone costs a warm review a tenth.
 */
export function createWebhookApp(parts: WebhookParts): RequestListener {
  const calls = new Map<string, Answers>([
    ['/validate/digests', ({ review }) => parts.judge(review)],
  ]);
  for (const mode of MODES) {
    calls.set(`/admission/${mode}`, ({ review, mayLookUp, startedAtMs, deadlineAtMs }) =>
      parts.handle({ review, mode, mayLookUp, startedAtMs, deadlineAtMs }),
    );
  }
  const serve = serving(parts);
  return (request, response) => {
    const { method = '', url = '' } = request;
    const answers = method === 'POST' ? calls.get(pathOf(url)) : undefined;
    if (answers === undefined) {
      sendError(response, 404, { error: `no ${method} ${pathOf(url)} here` });
      return;
    }
    const fail = (caught: unknown): void => refuse(parts, { request, response }, caught);
    try {
      serve(answers, { request, response, fail });
    } catch (caught) {
      fail(caught);
    }
  };
}

/** The API server adds `?timeout=10s`. */
function pathOf(url: string): string {
  const end = url.indexOf('?');
  return end === -1 ? url : url.slice(0, end);
}

/** A call, and how it is answered. */
interface Exchange {
  readonly request: IncomingMessage;
  readonly response: ServerResponse;
}

interface Asked extends Exchange {
  /** Ends the call with what went wrong. */
  readonly fail: (caught: unknown) => void;
}

/** Reviews of this server. */
interface Load {
  inFlight: number;
  readonly lateLookUps: LateLookUps;
}

/** Reads the review of a call and has it answered, unless there are too many already. */
function serving(parts: WebhookParts): (answers: Answers, asked: Asked) => void {
  const load: Load = { inFlight: 0, lateLookUps: createLateLookUps() };
  return (answers, { request, response, fail }) => {
    const startedAtMs = parts.now();
    if (load.inFlight >= MAX_IN_FLIGHT) {
      const error = new PinError('overloaded', `${MAX_IN_FLIGHT} reviews are being answered`);
      discardBody(request, () => fail(error));
      return;
    }
    load.inFlight += 1;
    parts.observeInFlight(1);
    response.once('close', () => {
      load.inFlight -= 1;
      parts.observeInFlight(-1);
    });
    readJson(request, (body) => {
      if (body instanceof PinError) fail(body);
      else answer(parts, { load, answers, startedAtMs, body: body.value, request, response, fail });
    });
  };
}

interface Call extends Asked {
  readonly answers: Answers;
  readonly load: Load;
  readonly startedAtMs: number;
  readonly body: unknown;
}

/** Answers at once where the handler does. Nobody else catches anything in a callback. */
function answer(parts: WebhookParts, call: Call): void {
  const { answers, startedAtMs, request, fail } = call;
  const { lateLookUps } = call.load;
  const send = (answered: AdmissionResponse): void => respond(parts, call, answered);
  try {
    const review = decodeReview(call.body, traceparentOf(request.headers));
    const deadlineAtMs = startedAtMs + budgetMs(request.url ?? '');
    const isLate = parts.isLate();
    const mayLookUp = !isLate || lateLookUps.haveRoomFor(review.namespace);
    const handled = answers({ review, mayLookUp, startedAtMs, deadlineAtMs });
    if (!(handled instanceof Promise)) return send(handled);
    const answered = sendLater(handled, send, fail);
    if (isLate && mayLookUp) lateLookUps.count(review.namespace, answered);
  } catch (caught) {
    fail(caught);
  }
}

async function sendLater(
  handled: Promise<AdmissionResponse>,
  send: (answered: AdmissionResponse) => void,
  fail: Call['fail'],
): Promise<void> {
  try {
    send(await handled);
  } catch (caught) {
    fail(caught);
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
function refuse(parts: WebhookParts, { request, response }: Exchange, caught: unknown): void {
  const error = toPinError(caught);
  const status = error.rule.httpStatus === 200 ? 500 : error.rule.httpStatus;
  parts.observeRefused(error.code);
  const traceparent = traceparentOf(request.headers);
  const path = pathOf(request.url ?? '');
  const fields = { path, traceparent, code: error.code, ...describeError(error) };
  if (status === 500) parts.log.error({ ...fields, stack: stackOf(caught) }, 'review failed');
  else parts.log.warn(fields, 'review refused');
  if (response.headersSent) return;
  if (status === 503) response.setHeader('retry-after', '1');
  response.setHeader('connection', 'close');
  sendError(response, status, { error: error.message, reason: error.code });
}

function sendError(response: ServerResponse, status: number, told: object): void {
  const body = Buffer.from(JSON.stringify(told));
  response.writeHead(status, {
    'content-type': 'application/json; charset=utf-8',
    'content-length': body.length,
  });
  response.end(body);
}

function stackOf(caught: unknown): string | undefined {
  return Error.isError(caught) ? caught.stack : undefined;
}
