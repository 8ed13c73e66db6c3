/** The HTTP status that the client library's errors have in `code`; undefined where nobody answered. */
export function statusOf(caught: unknown): number | undefined {
  const isObject = typeof caught === 'object' && caught !== null;
  return isObject && 'code' in caught && typeof caught.code === 'number' ? caught.code : undefined;
}

/** How the API server met a request that failed, for a sentence that begins with it. */
export function answerTo(caught: unknown): string {
  const status = statusOf(caught);
  return status === undefined ? 'did not answer' : `answered ${status}`;
}

/**
 * What to keep of an error as another's cause: why there was no answer. An error about an answer holds
 * it, whole (the client library's) or the place where it is no JSON, and a Secret may stand there.
 */
export function causeOf(caught: unknown): { readonly cause?: unknown } {
  const isOfAnAnswer = statusOf(caught) !== undefined || caught instanceof SyntaxError;
  return isOfAnAnswer ? {} : { cause: caught };
}
