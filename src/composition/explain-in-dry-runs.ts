import { hostname } from 'node:os';

import type { AdmissionHandler } from '../admission/handler.ts';
import type { ServeSettings } from '../config.ts';
import { PinError } from '../errors.ts';
import { createAskers } from '../explain/askers.ts';
import { explainInDryRuns } from '../explain/in-dry-run.ts';
import { createRecorder } from '../explain/recorder.ts';
import { EXPLAIN_RIGHT } from '../explain/right.ts';
import { createTurns } from '../explain/turns.ts';
import { createAccessReviews } from '../kube/access-reviews.ts';
import type { Logger } from '../log.ts';
import { composeExplainer, type ExplainerParts } from './explainer.ts';
import { namedKubeconfig } from './kubeconfig.ts';

interface Serving extends ExplainerParts {
  readonly log: Logger;
  readonly version: string;
}

/**
 * Reviews answered as ever, but for dry runs that ask for an explanation: those get what this process
 * knows, where `--explain-in-dry-run` says so. Throws PinError `invalid_config`.
 */
export function composeExplainInDryRuns(
  settings: ServeSettings,
  handle: AdmissionHandler,
  serving: Serving,
): AdmissionHandler {
  if (!settings.explainInDryRun) return explainInDryRuns(handle, undefined);
  if (!settings.cluster) {
    throw new PinError('invalid_config', 'Cannot use --explain-in-dry-run with --no-cluster');
  }
  const { log, version, now } = serving;
  const explain = composeExplainer(settings, serving);
  return explainInDryRuns(handle, {
    askers: createAskers(now),
    turns: createTurns(),
    mayExplain: createAccessReviews(namedKubeconfig(settings), EXPLAIN_RIGHT),
    explain: (asked, observe) => explain(asked, createRecorder({ observe, now })),
    referenceForm: settings.referenceForm,
    webhook: { version, replica: hostname() },
    log,
  });
}
