import { createDigestsJudge, type DigestsJudge } from '../admission/digests.ts';
import { type AdmissionHandler, createHandler } from '../admission/handler.ts';
import type { ServeParts, ServeState } from '../commands/serve.ts';
import type { ServeSettings } from '../config.ts';
import { createFingerprint } from '../credentials/fingerprint.ts';
import { readInstallationKey } from '../installation-key.ts';
import { type ClusterReader, createClusterReader } from '../kube/client.ts';
import type { Logger } from '../log.ts';
import { createContention } from '../pods/contention.ts';
import { createSiblings } from '../pods/siblings.ts';
import { createCache, type DigestCache } from '../resolve/cache.ts';
import { createMetrics, type Metrics } from '../server/metrics.ts';
import { createOperationsServer } from '../server/operations.ts';
import { createPressure } from '../server/pressure.ts';
import { logReview, logVerdict } from '../server/review-log.ts';
import { createWebhookApp } from '../server/webhook.ts';
import { exemptionOf } from '../workload/digest-policy.ts';
import { parseExtraKinds } from '../workload/extra-kinds.ts';
import { composeAuditWatch } from './audit-watch.ts';
import { composeDebugMemory, composeDebugServer } from './debug.ts';
import { composeEngine, type Engine, type EngineParts } from './engine.ts';
import { composeEvents } from './events.ts';
import { composeExplainInDryRuns } from './explain-in-dry-runs.ts';
import { namedKubeconfig } from './kubeconfig.ts';
import { NO_CLUSTER } from './no-cluster.ts';
import { pinningOf } from './pinning.ts';
import { composeSharedCache } from './shared-cache.ts';
import { composeSnapshot } from './snapshot.ts';
import { composeWebhookServer } from './webhook-server.ts';

/** What `tagpin serve` is told by its process. */
export interface ServeProcess {
  readonly version: string;
  readonly log: Logger;
  /** What could not be logged so far. */
  readonly lostLogBytes: () => number;
  /** For the programs that it starts and the files that it names. */
  readonly environment: Readonly<Record<string, string | undefined>>;
}

const now = (): number => performance.now();

/** `tagpin serve` from its settings: every part is made here, and plugged into those that need it. */
export function composeServe(
  settings: ServeSettings,
  { version, log, lostLogBytes, environment }: ServeProcess,
): ServeParts {
  const state: ServeState = { clusterLoaded: false, draining: false };
  const cache = composeCache(settings);
  const counted = createMetrics({ version, cacheEntries: cache.size, lostLogBytes, now });
  const remembered = composeDebugMemory(settings, counted);
  const metrics = remembered?.metrics ?? counted;
  const cluster = settings.cluster ? clusterOf(settings) : NO_CLUSTER;
  const userAgent = `tagpin/${version}`;
  const asking = { cache, reader: cluster, metrics, userAgent, log, environment, now };
  const engine = composeServedEngine(settings, asking);
  const app = createWebhookApp({
    handle: composeHandler(settings, { engine, cluster, metrics, log, version }),
    judge: composeJudge(settings, metrics, log),
    log,
    isDraining: () => state.draining,
    observeRefused: metrics.refused,
    observeInFlight: metrics.inFlight,
    isLate: createPressure(now).isHigh,
    now,
  });
  const { webhook, certificate } = composeWebhookServer(settings, app, { metrics, log, now });
  const notReady = (): string[] => [
    ...certificate.waitsFor(),
    ...(state.clusterLoaded ? [] : ['the cluster client is loading']),
    ...(state.draining ? ['draining'] : []),
  ];
  const operations = createOperationsServer({ metrics, notReady });
  const shown = { version, engine, reader: cluster, cache, notReady, log };
  const debug = remembered && composeDebugServer(settings, remembered, shown);
  const loadCluster = together(cluster.load, engine.load);
  const auditWatch = composeAuditWatch(settings, { engine, metrics, log, now });
  const closeRegistries = engine.close;
  return {
    webhook,
    operations,
    debug,
    certificate,
    loadCluster,
    log,
    state,
    auditWatch,
    closeRegistries,
  };
}

function composeCache({ cacheTtl, staleIfError, cacheEntries }: ServeSettings): DigestCache {
  return createCache({
    ttlMs: cacheTtl,
    staleIfErrorMs: staleIfError,
    random: Math.random,
    maxDigests: cacheEntries,
  });
}

/** The engine, with what replicas share, and what outlives them, where that is wanted. */
function composeServedEngine(
  settings: ServeSettings,
  parts: EngineParts & { readonly metrics: Metrics },
): Engine {
  const { installationKeyFile: file } = settings;
  const installationKey = file === undefined ? undefined : readInstallationKey(file);
  const shared = composeSharedCache(settings, { ...parts, installationKey });
  const engine = composeEngine(settings, {
    ...parts,
    fingerprint: createFingerprint(installationKey?.keyFor('credential fingerprints')),
    sharedDigests: shared?.digests,
  });
  const snapshot = composeSnapshot(settings, { ...parts, installationKey });
  const beside = [shared, snapshot].filter((part) => part !== undefined);
  return {
    ...engine,
    load: together(engine.load, ...beside.map(({ load }) => load)),
    close: async () => {
      for (const { close } of beside) await close();
      await engine.close();
    },
  };
}

function composeJudge(
  { exemptImages }: ServeSettings,
  metrics: Pick<Metrics, 'verdict'>,
  log: Logger,
): DigestsJudge {
  return createDigestsJudge({
    isExempt: exemptionOf(exemptImages),
    observe: (verdict) => {
      metrics.verdict(verdict);
      logVerdict(log, verdict);
    },
  });
}

function clusterOf(settings: ServeSettings): ClusterReader {
  return createClusterReader(namedKubeconfig(settings), '--no-cluster does without');
}

interface HandlerSurroundings extends Pick<ServeProcess, 'log' | 'version'> {
  readonly engine: Engine;
  readonly cluster: ClusterReader | typeof NO_CLUSTER;
  readonly metrics: Metrics;
}

function composeHandler(
  settings: ServeSettings,
  { engine, cluster, metrics, log, version }: HandlerSurroundings,
): AdmissionHandler {
  const { resolver } = engine;
  const tellNamespace = composeEvents(settings, { metrics, log, now });
  const handle = createHandler({
    ...pinningOf(settings),
    resolve: resolver.resolve,
    peek: resolver.peek,
    observe: (report) => {
      metrics.review(report);
      logReview(log, report);
      tellNamespace?.(report);
    },
    now,
    extraKinds: parseExtraKinds(settings.extraKind),
    siblings: settings.siblingPins
      ? createSiblings({ listPods: cluster.listPods, log, observe: metrics.siblings, now })
      : undefined,
    isContended: createContention(now),
  });
  const serving = { engine, reader: cluster, log, version, now };
  return composeExplainInDryRuns(settings, handle, serving);
}

function together(...loads: readonly (() => Promise<void>)[]): () => Promise<void> {
  return async () => {
    await Promise.all(loads.map((load) => load()));
  };
}
