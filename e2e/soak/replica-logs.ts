import { readFileSync } from 'node:fs';

import { isJsonObject, parseJson, textOf } from '../../src/json.ts';
import type { Ledger } from './ledger.ts';
import type { Timeline } from './timeline.ts';

/** As pino has it. */
const ERROR = 50;

/** Lines of log that nobody should see: of errors without a cause, and all that is no line of log. */
export function judgeLogs(files: readonly string[], timeline: Timeline, ledger: Ledger): number {
  let errors = 0;
  for (const file of files) {
    // One that is killed may leave the last line unfinished.
    for (const line of readFileSync(file, 'utf8').split('\n').slice(0, -1)) {
      const fields = parseJson(line);
      if (isJsonObject(fields) && Number(fields['level']) < ERROR) continue;
      const atMs = isJsonObject(fields) ? Date.parse(textOf(fields, 'time') ?? '') : Number.NaN;
      errors += 1;
      const span = { fromMs: atMs, untilMs: atMs };
      if (timeline.excuses(span, ({ failsRequests }) => failsRequests === true)) continue;
      ledger.find({ verdict: 'unexplained', text: line }, `a line of ${file}`, span);
    }
  }
  return errors;
}
