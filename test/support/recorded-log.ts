import type { LogFields, Logger } from '../../src/log.ts';

/** A log whose lines are kept: level, message and fields. */
export function createRecordedLog(): { readonly log: Logger; readonly lines: readonly string[] } {
  const lines: string[] = [];
  const keep =
    (level: string) =>
    (fields: LogFields, message: string): void =>
      void lines.push(`${level} ${message} ${JSON.stringify(fields)}`);
  return { log: { info: keep('info'), warn: keep('warn'), error: keep('error') }, lines };
}
