import type { AdmissionReport } from '../admission/report.ts';
import type { ServeSettings } from '../config.ts';
import { PinError } from '../errors.ts';
import { createNotPinnedEvents } from '../events/not-pinned.ts';
import { createEventWriter } from '../kube/events.ts';
import type { Logger } from '../log.ts';
import type { EventMetrics } from '../server/event-metrics.ts';
import { namedKubeconfig } from './kubeconfig.ts';

/** Who writes Events; undefined without `--events`. Throws PinError `invalid_config`. */
export function composeEvents(
  settings: ServeSettings,
  {
    metrics,
    log,
    now,
  }: { readonly metrics: EventMetrics; readonly log: Logger; readonly now: () => number },
): ((report: AdmissionReport) => void) | undefined {
  if (!settings.events) return undefined;
  if (!settings.cluster)
    throw new PinError('invalid_config', 'Cannot use --events with --no-cluster');
  return createNotPinnedEvents({
    write: createEventWriter(namedKubeconfig(settings)),
    observe: metrics.event,
    log,
    now,
  });
}
