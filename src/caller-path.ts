/** What stands before the token in the path of a call. */
const PREFIX = '/caller/';
/**
 * 16 random bytes, at least, in hexadecimal or the like: each part of the path in a webhook
 * configuration has to be a DNS subdomain (apiserver, ValidateWebhookService).
 */
const TOKEN = /^[a-z0-9]{32,128}$/;

/** Who calls, and what for. */
export interface CallerPath {
  /** Undefined where the path names nobody; else whatever stands there. */
  readonly token: string | undefined;
  /** `/admission/pin`, for example. */
  readonly route: string;
}

/** Whether a text can be a token: what nobody guesses, and what the API server takes in a path. */
export function isCallerToken(text: string): boolean {
  return TOKEN.test(text);
}

/** The path by which somebody with a token calls. */
export function callerPath(token: string, route: string): string {
  return `${PREFIX}${token}${route}`;
}

/** Takes `/caller/TOKEN` off a path. */
export function splitCallerPath(path: string): CallerPath {
  const end = path.startsWith(PREFIX) ? path.indexOf('/', PREFIX.length) : -1;
  if (end === -1) return { token: undefined, route: path };
  return { token: path.slice(PREFIX.length, end), route: path.slice(end) };
}
