import { auditCluster } from '../audit/run.ts';
import { type AuditWatch, createAuditWatch } from '../audit/watch.ts';
import type { ServeSettings } from '../config.ts';
import { createLists } from '../kube/lists.ts';
import type { Logger } from '../log.ts';
import type { AuditMetrics } from '../server/audit-metrics.ts';
import { engineRegistries } from './audit.ts';
import type { Engine } from './engine.ts';
import { namedKubeconfig } from './kubeconfig.ts';

interface AuditWatchParts {
  readonly engine: Engine;
  readonly metrics: AuditMetrics;
  readonly log: Logger;
  /** The clock of `performance.now()`, in milliseconds. */
  readonly now: () => number;
}

/**
 * The audits of `tagpin serve --audit-every`, by its own engine, so that verdicts are those of the
 * credentials and mirrors that it has; undefined where none are wanted.
 */
export function composeAuditWatch(
  { auditEvery, ...settings }: Pick<ServeSettings, 'auditEvery' | 'kubeconfig'>,
  { engine, metrics, log, now }: AuditWatchParts,
): AuditWatch | undefined {
  if (auditEvery === 0) return undefined;
  const cluster = createLists(namedKubeconfig(settings), undefined);
  const registries = engineRegistries(engine, now);
  return createAuditWatch({
    everyMs: auditEvery,
    audit: () => auditCluster({ cluster, openRegistries: async () => registries }),
    observe: metrics.audited,
    log,
  });
}
