import type { Server } from 'node:net';

import type { ServeSettings } from '../config.ts';
import { PinError } from '../errors.ts';
import { describeError, type Logger } from '../log.ts';
import type { ListenAddress } from '../settings/values.ts';

/** What `tagpin serve` runs, plugged together elsewhere. */
export interface ServeParts {
  readonly webhook: Server & { readonly closeIdleConnections: () => void };
  readonly operations: Server & { readonly closeAllConnections: () => void };
  /** Undefined where it is switched off. */
  readonly debug: (Server & { readonly closeAllConnections: () => void }) | undefined;
  readonly certificate: { readonly start: () => Promise<void>; readonly stop: () => void };
  /** Imports what takes long and connects; readiness waits for it. */
  readonly loadCluster: () => Promise<void>;
  readonly log: Logger;
  /** Turns what readiness waits for: false until loaded, and again while draining. */
  readonly state: ServeState;
  /** What goes on beside reviews, once the cluster can be read. */
  readonly auditWatch: { readonly start: () => void; readonly stop: () => void } | undefined;
  /** Ends the connections to registries. */
  readonly closeRegistries: () => Promise<void>;
}

/** Where the life of the process stands. */
export interface ServeState {
  clusterLoaded: boolean;
  draining: boolean;
}

/** How long calls that are under way may take to end; the API server's own limit is 30 s. */
const END_OF_CALLS_MS = 30_000;

/**
 * Listens, loads, serves until `stopped` resolves, and drains. The caller of a webhook keeps its
 * connections, and uses them on after the endpoint is gone: so calls are served on for the drain
 * time, each answer closing its connection, before the port closes.
 */
export async function serve(
  parts: ServeParts,
  settings: ServeSettings,
  stopped: Promise<string>,
): Promise<void> {
  const { webhook, operations, certificate, state, log } = parts;
  const operationsAt = await listen(operations, settings.operationsListen);
  const webhookAt = await listen(webhook, settings.listen);
  const debugAt = await listenForDebug(parts, settings);
  log.info({ webhook: webhookAt, operations: operationsAt, debug: debugAt }, 'listening');
  await certificate.start();
  await parts.loadCluster();
  state.clusterLoaded = true;
  log.info({}, 'cluster client loaded');
  parts.auditWatch?.start();

  const signal = await stopped;
  state.draining = true;
  parts.auditWatch?.stop();
  log.info({ signal, drainMs: settings.drainTime }, 'draining');
  await delay(settings.drainTime);
  await closeWithin(webhook, END_OF_CALLS_MS, log);
  certificate.stop();
  for (const server of [operations, parts.debug]) {
    server?.closeAllConnections();
    server?.close();
  }
  await parts.closeRegistries();
  log.info({}, 'stopped');
}

/** A page for operators is no reason not to start: on a node's own network its port may be taken. */
async function listenForDebug(
  { debug, log }: ServeParts,
  { debugListen }: ServeSettings,
): Promise<string | undefined> {
  if (debug === undefined || debugListen === undefined) return undefined;
  try {
    return await listen(debug, debugListen);
  } catch (caught) {
    log.warn(describeError(caught), 'no debug page: --debug-listen names another port, or "off"');
    return undefined;
  }
}

function listen(server: Server, { host, port }: ListenAddress): Promise<string> {
  return new Promise((resolve, reject) => {
    server.once('error', (cause) => {
      const message = `Cannot listen on ${host}:${port}`;
      reject(new PinError('invalid_config', message, { cause }));
    });
    server.listen({ host, port }, () => {
      const address = server.address();
      const bound = typeof address === 'object' && address !== null ? address.port : port;
      resolve(`${host}:${bound}`);
    });
  });
}

function closeWithin(server: ServeParts['webhook'], limitMs: number, log: Logger): Promise<void> {
  return new Promise((resolve) => {
    const timer = setTimeout(() => {
      log.warn({ limitMs }, 'calls cut off');
      resolve();
    }, limitMs);
    server.close((error) => {
      clearTimeout(timer);
      if (error !== undefined) log.warn(describeError(error), 'webhook did not close');
      resolve();
    });
  });
}

function delay(ms: number): Promise<void> {
  return new Promise((resolve) => {
    setTimeout(resolve, ms);
  });
}
