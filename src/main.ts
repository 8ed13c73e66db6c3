#!/usr/bin/env node
import { readFileSync } from 'node:fs';

import { Command } from 'commander';

import { createHandler } from './admission/handler.ts';
import { addCheckCommand } from './commands/check.ts';
import { type ServeParts, type ServeState, serve } from './commands/serve.ts';
import { addSettings, settingsOf } from './commands/settings.ts';
import { processStreams } from './commands/streams.ts';
import { composeEngine } from './composition/engine.ts';
import { processEnvironment, SERVE_SETTINGS, type ServeSettings } from './config.ts';
import { PinError, toPinError } from './errors.ts';
import { compileGlobs } from './image/glob.ts';
import { isJsonObject, textOf } from './json.ts';
import { type ClusterReader, createClusterReader } from './kube/client.ts';
import { createLog, describeError, type Logger } from './log.ts';
import { createCache } from './resolve/cache.ts';
import { createMetrics } from './server/metrics.ts';
import { createOperationsServer } from './server/operations.ts';
import { logReview } from './server/review-log.ts';
import { createCertificateFiles } from './server/tls.ts';
import { createWebhookApp, createWebhookServer } from './server/webhook.ts';

const VERSION = readVersion();

const now = (): number => performance.now();

/** `tagpin serve` from its settings: every part is made here, and plugged into those that need it. */
function composeServe(settings: ServeSettings, log: Logger): ServeParts {
  const state: ServeState = { clusterLoaded: false, draining: false };
  const cache = createCache({
    ttlMs: settings.cacheTtl,
    staleIfErrorMs: settings.staleIfError,
    random: Math.random,
  });
  const metrics = createMetrics({ version: VERSION, cacheEntries: cache.size, now });
  const cluster = settings.cluster ? createClusterReader(settings.kubeconfig) : NO_CLUSTER;
  const userAgent = `tagpin/${VERSION}`;
  const engine = composeEngine(settings, {
    cache,
    reader: cluster,
    metrics,
    userAgent,
    log,
    environment: processEnvironment(),
    now,
  });
  const handle = createHandler({
    resolve: engine.resolver.resolve,
    refusesShortNames: settings.shortNames === 'refuse',
    observe: (report) => {
      metrics.review(report);
      logReview(log, report);
    },
    now,
    decision: {
      isSkipped: compileGlobs(settings.skip),
      allowSkipInEnforce: settings.allowSkipInEnforce,
    },
    referenceForm: settings.referenceForm,
  });
  const app = createWebhookApp({
    handle,
    log,
    isDraining: () => state.draining,
    observeRefused: metrics.refused,
    observeInFlight: metrics.inFlight,
    now,
  });
  const webhook = createWebhookServer(app);
  const certificate = createCertificateFiles({
    certFile: settings.tlsCert,
    keyFile: settings.tlsKey,
    use: (pair) => webhook.setSecureContext(pair),
    observeExpiry: metrics.certificateExpiry,
    log,
  });
  const notReady = (): string[] => [
    ...(certificate.isLoaded() ? [] : ['no certificate is loaded']),
    ...(state.clusterLoaded ? [] : ['the cluster client is loading']),
    ...(state.draining ? ['draining'] : []),
  ];
  const operations = createOperationsServer({ metrics, notReady });
  const loadCluster = together(cluster.load, engine.load);
  const closeRegistries = engine.close;
  return { webhook, operations, certificate, loadCluster, log, state, closeRegistries };
}

function together(...loads: readonly (() => Promise<void>)[]): () => Promise<void> {
  return async () => {
    await Promise.all(loads.map((load) => load()));
  };
}

/** Without a cluster no ServiceAccount lends anything, and a Pod that names a secret is told so. */
const NO_CLUSTER: ClusterReader = {
  readSecret: async (namespace, name) => {
    const message = `pull secret "${namespace}/${name}" is not read, as tagpin runs with --no-cluster`;
    throw new PinError('secret_unreadable', message);
  },
  readPullSecretNames: async () => [],
  load: async () => {},
};

/** From package.json, which lies one level up from the sources and from what is built of them. */
function readVersion(): string {
  const text = readFileSync(new URL('../package.json', import.meta.url), 'utf8');
  const value: unknown = JSON.parse(text);
  return (isJsonObject(value) ? textOf(value, 'version') : undefined) ?? 'unknown';
}

function stopSignal(): Promise<string> {
  return new Promise((resolve) => {
    for (const signal of ['SIGTERM', 'SIGINT'] as const)
      process.once(signal, () => resolve(signal));
  });
}

/** A defect outside of any review: say so and end, for the state of the process is unknown. */
function dieOnDefect(log: Logger): void {
  process.on('uncaughtException', (error) => {
    log.error({ ...describeError(error), stack: error.stack }, 'uncaught error');
    process.exit(1);
  });
}

async function runServe(settings: ServeSettings): Promise<void> {
  const { log, end } = createLog(settings.logLevel);
  dieOnDefect(log);
  try {
    await serve(composeServe(settings, log), settings, stopSignal());
  } finally {
    await end();
  }
}

async function main(argv: readonly string[]): Promise<void> {
  const program = new Command('tagpin')
    .description(
      'Pins image tags to digests: a Kubernetes admission webhook, and its command line.',
    )
    .version(VERSION)
    // A mistake in the command line ends like one in a setting.
    .exitOverride(({ exitCode }) => process.exit(exitCode === 0 ? 0 : 2));
  const serveCommand = program
    .command('serve')
    .description('Answer admission reviews at /admission/pin, /admission/enforce, /admission/warn.')
    .action(() => runServe(settingsOf(serveCommand, SERVE_SETTINGS, processEnvironment())));
  addSettings(serveCommand, SERVE_SETTINGS);
  let exitCode = 0;
  const end = (code: 0 | 1): void => {
    exitCode = code;
  };
  addCheckCommand(program, { streams: processStreams(), version: VERSION, end });
  try {
    await program.parseAsync(argv);
    process.exit(exitCode);
  } catch (caught) {
    const error = toPinError(caught);
    const { error: chain } = describeError(error);
    process.stderr.write(`tagpin: ${String(chain).replace(/^PinError: /, '')}\n`);
    process.exit(error.code === 'invalid_config' ? 2 : 1);
  }
}

await main(process.argv);
