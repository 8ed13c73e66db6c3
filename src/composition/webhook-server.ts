import type { RequestListener } from 'node:http';
import type { Server } from 'node:https';

import { MODES } from '../admission/policy.ts';
import { createIssuer } from '../certificates/issue.ts';
import { createCertificateKeeper } from '../certificates/keeper.ts';
import { readCluster } from '../certificates/reading.ts';
import type { ServeSettings } from '../config.ts';
import { PinError } from '../errors.ts';
import { createCertificateObjects } from '../kube/certificate-objects.ts';
import type { Logger } from '../log.ts';
import { guardCallers } from '../server/caller-guard.ts';
import { createCallerRefusals } from '../server/caller-refusals.ts';
import { createCallerTokenFile } from '../server/caller-token-file.ts';
import { createCallerTokens } from '../server/caller-tokens.ts';
import {
  ASKING_CLIENTS,
  admitClients,
  createClientAuthorities,
  createSecureContexts,
} from '../server/client-certificates.ts';
import type { Metrics } from '../server/metrics.ts';
import { createCertificateFiles, type KeyPair } from '../server/tls.ts';
import { createWebhookServer } from '../server/webhook-server.ts';
import { namedKubeconfig } from './kubeconfig.ts';

/** The port for the API server, and what it needs before anybody may call. */
interface WebhookServer {
  readonly webhook: Server;
  readonly certificate: {
    readonly start: () => Promise<void>;
    readonly stop: () => void;
    /** What it cannot do without, and has not yet. */
    readonly waitsFor: () => string[];
  };
}

interface WebhookServerParts {
  readonly metrics: Pick<Metrics, 'certificateExpiry' | 'refused' | 'webhookEntries'>;
  readonly log: Logger;
  /** The clock of `performance.now()`, in milliseconds. */
  readonly now: () => number;
}

/** Something that is there at some time after the start. */
interface Part {
  readonly what: string;
  readonly start: () => Promise<void>;
  readonly isLoaded: () => boolean;
  readonly stop: () => void;
}

/** An API server takes seconds to call by a new path; ten minutes are for one that is slow. */
const TOKEN_OVERLAP_MS = 600_000;

/** Whose certificate is shown, whose calls are let in, and the server around the app that has both. */
export function composeWebhookServer(
  settings: ServeSettings,
  app: RequestListener,
  parts: WebhookServerParts,
): WebhookServer {
  const { clientCa, clientNames, callerTokenFile, certificates } = settings;
  requireSense(settings);
  const { log, now, metrics } = parts;
  const isBuiltIn = certificates === 'built-in';
  const tokens = createCallerTokens({ overlapMs: isBuiltIn ? TOKEN_OVERLAP_MS : 0, now });
  const isGuarded = isBuiltIn || callerTokenFile !== undefined;
  const refusals = { observeRefused: metrics.refused, log, now };
  const guard = { ...refusals, accepts: tokens.accepts };
  const webhook = createWebhookServer(isGuarded ? guardCallers(app, guard) : app, {
    ...(clientCa !== undefined && { clients: ASKING_CLIENTS }),
    observeDropped: createCallerRefusals('connection', refusals),
  });
  const contexts = createSecureContexts(webhook, clientCa !== undefined);
  const all: Part[] = [
    isBuiltIn
      ? builtIn(settings, parts, { use: contexts.usePair, know: tokens.know })
      : fromFiles(settings, parts, contexts.usePair),
  ];
  if (callerTokenFile !== undefined) {
    const file = createCallerTokenFile(callerTokenFile, tokens.know, log);
    all.push({ ...file, what: 'no caller token is loaded' });
  }
  if (clientCa !== undefined) {
    admitClients(webhook, clientNames, createCallerRefusals('certificate', refusals));
    const file = createClientAuthorities(clientCa, contexts.useClientAuthorities, log);
    all.push({ ...file, what: 'no authority of callers is loaded' });
  }
  return { webhook, certificate: together(all) };
}

function together(parts: readonly Part[]): WebhookServer['certificate'] {
  return {
    start: async () => {
      await Promise.all(parts.map(({ start }) => start()));
    },
    stop: () => parts.forEach(({ stop }) => stop()),
    waitsFor: () => parts.filter(({ isLoaded }) => !isLoaded()).map(({ what }) => what),
  };
}

function fromFiles(
  { tlsCert, tlsKey }: ServeSettings,
  { metrics, log }: WebhookServerParts,
  use: (pair: KeyPair) => void,
): Part {
  const files = createCertificateFiles({
    certFile: tlsCert,
    keyFile: tlsKey,
    use,
    observeExpiry: (timestampSeconds) =>
      metrics.certificateExpiry({ certificate: 'serving', source: 'files' }, timestampSeconds),
    log,
  });
  return { ...files, what: 'no certificate is loaded' };
}

function builtIn(
  settings: ServeSettings,
  { metrics, log, now }: WebhookServerParts,
  {
    use,
    know,
  }: {
    readonly use: (pair: KeyPair) => void;
    readonly know: (tokens: readonly string[]) => void;
  },
): Part {
  const { certificateSecret: secret } = settings;
  const objects = createCertificateObjects(namedKubeconfig(settings), {
    secret,
    configuration: settings.webhookConfiguration,
  });
  const where = `${secret.namespace}/${secret.name}`;
  const keeper = createCertificateKeeper({
    read: () => readCluster(objects, where),
    issuer: createIssuer(),
    names: settings.certificateNames,
    lifetimes: {
      leafMs: settings.certificateLifetime,
      authorityMs: settings.authorityLifetime,
    },
    use,
    knowTokens: know,
    observeExpiry: (certificate, timestampSeconds) =>
      metrics.certificateExpiry({ certificate, source: 'built-in' }, timestampSeconds),
    observeEntries: (entries) => {
      for (const mode of MODES) {
        const own = entries.filter(({ route }) => route === `/admission/${mode}`);
        metrics.webhookEntries(mode, own.length);
      }
    },
    log,
    now,
  });
  return { ...keeper, what: 'no certificate is signed' };
}

/** @throws PinError `invalid_config` for settings that contradict each other */
function requireSense(settings: ServeSettings): void {
  const { certificates, cluster, callerTokenFile, clientCa, clientNames } = settings;
  const isBuiltIn = certificates === 'built-in';
  const refusals = [
    [isBuiltIn && !cluster, '--certificates built-in needs the cluster: take --no-cluster away'],
    [
      isBuiltIn && callerTokenFile !== undefined,
      '--caller-token-file is for --certificates files: built-in ones bring their own tokens',
    ],
    [
      isBuiltIn && settings.authorityLifetime < settings.certificateLifetime,
      '--authority-lifetime must not be shorter than --certificate-lifetime',
    ],
    [
      settings.explainInDryRun &&
        !isBuiltIn &&
        callerTokenFile === undefined &&
        clientCa === undefined,
      // Whoever reaches the port would say who asks.
      '--explain-in-dry-run needs callers that are known: --certificates built-in, --caller-token-file or --client-ca',
    ],
    [
      clientCa === undefined && clientNames.length > 0,
      '--client-names says nothing without --client-ca',
    ],
  ] as const;
  const wrong = refusals.find(([isWrong]) => isWrong);
  if (wrong !== undefined) throw new PinError('invalid_config', `Cannot start: ${wrong[1]}`);
}
