import type { IncomingMessage, RequestListener, ServerResponse } from 'node:http';

import type { DigestsJudge } from '../admission/digests.ts';
import type { AdmissionHandler } from '../admission/handler.ts';
import { MODES } from '../admission/policy.ts';
import { type AdmissionResponse, encodeResponse } from '../admission/response.ts';
import { decodeReview, type Review } from '../admission/review.ts';
import { PinError, toPinError } from '../errors.ts';
import { describeError, type Logger } from '../log.ts';
import { readJson } from './body.ts';
import { budgetMs } from './deadline.ts';
import { createHeldBodies, type HeldBody } from './held-bodies.ts';
import { traceparentOf } from './traceparent.ts';
import { createWaitingRoom, type WaitingRoom } from './waiting-room.ts';

export interface WebhookParts {
  readonly handle: AdmissionHandler;
  readonly judge: DigestsJudge;
  readonly log: Logger;
  readonly isDraining: () => boolean;
  readonly observeRefused: (code: string) => void;
  /** Told of each review that begins to wait for its answer, and of each that has it. */
  readonly observeInFlight: (change: 1 | -1) => void;
  /** Whether the event loop is so late that look-ups are better left to another replica. */
  readonly isLate: () => boolean;
  /** The clock of `performance.now()`, in milliseconds. */
  readonly now: () => number;
}

/** So many reviews wait for look-ups at once; what needs none is answered however many do. */
const MAX_WAITING = 1000;
/** So many wait even while the event loop is late: it is slow then, and does not stand. */
const MAX_LATE_WAITING = 16;

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

/** What this server has on its hands. */
interface Load {
  readonly bodies: () => HeldBody;
  readonly waiting: WaitingRoom;
  /**
   * Of those that came while the event loop was late. Those that waited before do not count: a
   * namespace may have sent hundreds of them.
   */
  readonly lateWaiting: WaitingRoom;
}

/** Reads the review of a call and has it answered. */
function serving(parts: WebhookParts): (answers: Answers, asked: Asked) => void {
  const load: Load = {
    bodies: createHeldBodies(),
    waiting: createWaitingRoom(MAX_WAITING, parts.observeInFlight),
    lateWaiting: createWaitingRoom(MAX_LATE_WAITING),
  };
  return (answers, asked) => {
    const startedAtMs = parts.now();
    const held = load.bodies();
    readJson(asked.request, held, (body) => {
      if (body instanceof PinError) asked.fail(body);
      else answer(parts, { load, answers, startedAtMs, held, asked }, body.value);
    });
  };
}

interface Call {
  readonly asked: Asked;
  readonly answers: Answers;
  readonly load: Load;
  readonly held: HeldBody;
  readonly startedAtMs: number;
}

/** Answers at once where the handler does. Nobody else catches anything in a callback. */
function answer(parts: WebhookParts, call: Call, body: unknown): void {
  const { load, held, startedAtMs } = call;
  const { request, response, fail } = call.asked;
  const send = (answered: AdmissionResponse): void => respond(parts, response, answered);
  try {
    const review = decodeReview(body, traceparentOf(request.headers));
    const { namespace } = review;
    const deadlineAtMs = startedAtMs + budgetMs(request.url ?? '');
    const isLate = parts.isLate();
    const mayLookUp =
      load.waiting.hasRoomFor(namespace) && (!isLate || load.lateWaiting.hasRoomFor(namespace));
    const handled = call.answers({ review, mayLookUp, startedAtMs, deadlineAtMs });
    if (handled instanceof Promise) {
      const answered = sendLater(handled, { send, fail, held });
      load.waiting.admit(namespace, answered);
      if (isLate && mayLookUp) load.lateWaiting.admit(namespace, answered);
      return;
    }
    held.release();
    send(handled);
  } catch (caught) {
    held.release();
    fail(caught);
  }
}

async function sendLater(
  handled: Promise<AdmissionResponse>,
  {
    send,
    fail,
    held,
  }: Pick<Asked, 'fail'> &
    Pick<Call, 'held'> & { readonly send: (answered: AdmissionResponse) => void },
): Promise<void> {
  try {
    send(await handled);
  } catch (caught) {
    fail(caught);
  } finally {
    held.release();
  }
}

function respond(
  { isDraining }: WebhookParts,
  response: ServerResponse,
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
