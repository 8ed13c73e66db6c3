/** Fields of a log line. The message is constant; what varies is a field. */
export type LogFields = Readonly<Record<string, unknown>>;

/** What the rest of the program knows of logging. */
export interface Logger {
  readonly info: (fields: LogFields, message: string) => void;
  readonly warn: (fields: LogFields, message: string) => void;
  readonly error: (fields: LogFields, message: string) => void;
}

export type LogLevel = 'info' | 'warn' | 'error' | 'silent';

/** The chain of causes of an error as text, for a log line; a stack only for a bug. */
export function describeError(error: unknown): LogFields {
  const chain: string[] = [];
  let here = error;
  while (Error.isError(here) && chain.length < 5) {
    const code = 'code' in here && typeof here.code === 'string' ? ` [${here.code}]` : '';
    chain.push(`${here.name}: ${here.message}${code}`);
    here = here.cause;
  }
  if (chain.length === 0) chain.push(String(error));
  return { error: chain.join(' <- ') };
}

/**
 * Tells of writing that fails, and of writing that works again, once each: a disk that is full for a
 * day, or an API server that refuses for one, is two lines.
 *
 * @param what is written, for the message: `snapshot not written`
 */
export function createOutageLog(
  log: Logger,
  what: string,
  fields: LogFields = {},
): (failure: unknown) => void {
  let hasFailed = false;
  return (failure) => {
    if ((failure !== undefined) === hasFailed) return;
    hasFailed = failure !== undefined;
    if (hasFailed) log.warn({ ...fields, ...describeError(failure) }, `${what} not written`);
    else log.info({ ...fields }, `${what} written again`);
  };
}
