import type { NextFunction, Request, Response } from 'express';

import { noticeOf } from '../debug/page.ts';
import { type PinError, toPinError } from '../errors.ts';
import { printableJson } from '../image/printable.ts';
import { isJsonObject } from '../json.ts';
import { describeError, type Logger } from '../log.ts';

/** A page that says one thing, after which the connection ends. */
export function notice(response: Response, status: number, message: string): void {
  ending(response, status).type('html').send(noticeOf(message));
}

/** For a program. */
export function sendJson(response: Response, value: unknown): void {
  response.type('json').send(`${printableJson(value, 2)}\n`);
}

function ending(response: Response, status: number): Response {
  response.setHeader('connection', 'close');
  return response.status(status);
}

/** Of a failure on the page: as of a review, but that here a question is wrong, and no setting. */
export function statusOf({ code, rule: { httpStatus } }: PinError): number {
  if (code === 'invalid_config') return 400;
  // What an image fails by is an answer, and comes here by mistake alone.
  return httpStatus === 200 ? 500 : httpStatus;
}

/** Answers what went wrong: a program with JSON, and others with a page. */
export function errorHandler(log: Logger) {
  // oxlint-disable-next-line max-params -- express tells an error handler by its four parameters
  return (caught: unknown, request: Request, response: Response, _next: NextFunction): void => {
    const ofBody = bodyStatusOf(caught);
    const error = toPinError(caught);
    const status = ofBody ?? statusOf(error);
    if (status === 500) log.error(describeError(error), 'debug page failed');
    if (response.headersSent) return;
    const message = ofBody === undefined ? error.message : 'the body is none of this page';
    if (request.is('application/json') === false) notice(response, status, message);
    else sendJson(ending(response, status), { error: message, reason: error.code });
  };
}

/** What express makes of a body that it does not take. */
function bodyStatusOf(caught: unknown): number | undefined {
  const status = isJsonObject(caught) ? caught['status'] : undefined;
  return typeof status === 'number' && status >= 400 && status < 500 ? status : undefined;
}
