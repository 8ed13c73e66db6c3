import { hostname } from 'node:os';

import type { AdmissionHandler } from '../admission/handler.ts';
import type { ServeSettings } from '../config.ts';
import type { SecretReader } from '../credentials/read-secrets.ts';
import { PinError } from '../errors.ts';
import { explain } from '../explain/explanation.ts';
import { explainInDryRuns, type InDryRunParts } from '../explain/in-dry-run.ts';
import { createRecorder } from '../explain/recorder.ts';
import { EXPLAIN_RIGHT } from '../explain/right.ts';
import { createTurns } from '../explain/turns.ts';
import { createAccessReviews } from '../kube/access-reviews.ts';
import type { Logger } from '../log.ts';
import type { Engine } from './engine.ts';
import { namedKubeconfig } from './kubeconfig.ts';
import { pinningOf } from './pinning.ts';
import { listenerOf } from './told-resolver.ts';

interface Serving {
  readonly engine: Pick<Engine, 'toldTo'>;
  /** Of the cluster, as the webhook's own account. */
  readonly reader: SecretReader;
  readonly log: Logger;
  readonly version: string;
  /** The clock of `performance.now()`, in milliseconds. */
  readonly now: () => number;
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
  return explainInDryRuns(handle, {
    turns: createTurns(now),
    mayExplain: createAccessReviews(namedKubeconfig(settings), EXPLAIN_RIGHT),
    explain: composeExplanation(settings, serving),
    referenceForm: settings.referenceForm,
    webhook: { version, replica: hostname() },
    log,
  });
}

function composeExplanation(
  settings: ServeSettings,
  { engine, reader, now }: Serving,
): InDryRunParts['explain'] {
  const { decision, refusesShortNames } = pinningOf(settings);
  const { isSkipped } = decision;
  return (asked, observe) => {
    const recorder = createRecorder({ observe, now });
    const resolver = engine.toldTo(listenerOf(recorder, reader));
    return explain({ recorder, resolver, isSkipped, refusesShortNames }, asked);
  };
}
