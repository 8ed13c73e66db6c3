import type { AuditRegistries } from '../audit/judge.ts';
import { auditCluster } from '../audit/run.ts';
import type { Account } from '../audit/use.ts';
import { type AuditWatch, createAuditWatch } from '../audit/watch.ts';
import type { ServeSettings } from '../config.ts';
import { PinError } from '../errors.ts';
import { parseReference } from '../image/reference.ts';
import { createLists } from '../kube/lists.ts';
import type { Logger } from '../log.ts';
import type { ReadQuestion } from '../resolve/image-reader.ts';
import type { AuditMetrics } from '../server/audit-metrics.ts';
import { indexEntries } from './audit.ts';
import type { Engine } from './engine.ts';

interface AuditWatchParts {
  readonly engine: Engine;
  readonly metrics: AuditMetrics;
  readonly log: Logger;
  /** The clock of `performance.now()`, in milliseconds. */
  readonly now: () => number;
}

/** An image after the other waits for its turn; nobody waits for the audit. */
const PATIENCE_MS = 60_000;

/**
 * The audits of `tagpin serve --audit-every`, by its own engine, so that verdicts are those of the
 * credentials and mirrors that it has; undefined where none are wanted.
 */
export function composeAuditWatch(
  { auditEvery, kubeconfig }: Pick<ServeSettings, 'auditEvery' | 'kubeconfig'>,
  { engine, metrics, log, now }: AuditWatchParts,
): AuditWatch | undefined {
  if (auditEvery === 0) return undefined;
  const files = kubeconfig === undefined ? undefined : { files: [kubeconfig] };
  const cluster = createLists(files, undefined);
  const registries = registriesOf(engine, now);
  return createAuditWatch({
    everyMs: auditEvery,
    audit: () => auditCluster({ cluster, openRegistries: async () => registries }),
    observe: metrics.audited,
    log,
  });
}

function registriesOf({ resolver, reader }: Engine, now: () => number): AuditRegistries {
  return {
    resolve: async (image, identity) => {
      const reference = parseReference(image);
      if (reference.digest !== undefined) {
        return reader.manifest(reference, asked(identity));
      }
      const deadlineAtMs = now() + PATIENCE_MS;
      const question = { identity, deadlineAtMs, notBeforeMs: undefined };
      const found = await resolver.resolve(reference, question);
      if (found instanceof PinError) throw found;
      return found;
    },
    tags: (repository, identity) => reader.tags(parseReference(repository), asked(identity)),
    entries: (image, identity) =>
      indexEntries(image, {
        manifest: (name) => reader.manifest(parseReference(name), asked(identity)),
        blob: (name, digest) => reader.blob(parseReference(name), digest, asked(identity)),
      }),
  };
}

function asked(identity: Account): ReadQuestion {
  return { identity, timeMs: PATIENCE_MS };
}
