import { readFileSync } from 'node:fs';

import { isJsonObject, parseJson, textOf } from '../../src/json.ts';
import type { Ledger } from './ledger.ts';
import type { Timeline } from './timeline.ts';

interface LogParts {
  readonly files: readonly string[];
  readonly sinceMs: number;
  readonly timeline: Timeline;
  readonly ledger: Ledger;
}

/** As pino has it. */
const ERROR = 50;

/** Looks at lines of log that nobody should see: of errors without a cause, and all that is no line of log; gives their number. */
export function judgeLogs(parts: LogParts): number {
  const { files, sinceMs, timeline, ledger } = parts;
  let errors = 0;
  for (const file of files) {
    // One that is killed may leave the last line unfinished.
    for (const line of readFileSync(file, 'utf8').split('\n').slice(0, -1)) {
      const fields = parseJson(line);
      if (isJsonObject(fields) && Number(fields['level']) < ERROR) continue;
      const atMs = isJsonObject(fields) ? Date.parse(textOf(fields, 'time') ?? '') : Number.NaN;
      if (atMs < sinceMs) continue;
      errors += 1;
      const span = { fromMs: atMs, untilMs: atMs };
      if (timeline.excuses(span, ({ failsRequests }) => failsRequests === true)) continue;
      ledger.find({ verdict: 'unexplained', text: line }, `a line of ${file}`, span);
    }
  }
  return errors;
}
