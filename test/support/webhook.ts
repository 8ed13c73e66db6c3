import { once } from 'node:events';
import type { AddressInfo } from 'node:net';

import { createDigestsJudge } from '../../src/admission/digests.ts';
import { type AdmissionHandler, createHandler } from '../../src/admission/handler.ts';
import type { LogFields } from '../../src/log.ts';
import { createWebhookApp } from '../../src/server/webhook.ts';
import { createWebhookServer } from '../../src/server/webhook-server.ts';
import { digest } from './admission.ts';
import { type Answered, type CallOptions, call } from './call.ts';
import { createAuthority, type KeyPair } from './certificate.ts';

/** One line that was logged. */
interface LogLine {
  readonly level: 'info' | 'warn' | 'error';
  readonly message: string;
  readonly fields: LogFields;
}

export interface WebhookOptions {
  readonly handle?: AdmissionHandler;
  readonly isDraining?: () => boolean;
  readonly isLate?: () => boolean;
}

/** The real webhook server, over TLS, with a certificate of its own. */
export interface RunningWebhook extends AsyncDisposable {
  readonly port: number;
  /** Of the authority that signed its certificate. */
  readonly ca: string;
  /** Takes another certificate into use. */
  readonly use: (pair: KeyPair) => void;
  readonly call: (options?: CallOptions) => Promise<Answered>;
  readonly lines: readonly LogLine[];
  readonly refused: readonly string[];
  /** Reviews that are being answered. */
  readonly inFlight: () => number;
  /** Connections that went as there were too many. */
  readonly dropped: () => number;
  /** Ends it as `server.close()` does. */
  readonly close: () => Promise<unknown>;
}

/** Every tag has the same digest where no handler is given. */
export async function startWebhook(options: WebhookOptions = {}): Promise<RunningWebhook> {
  const lines: LogLine[] = [];
  const refused: string[] = [];
  let inFlight = 0;
  const write =
    (level: LogLine['level']) =>
    (fields: LogFields, message: string): void => {
      lines.push({ level, message, fields });
    };
  const app = createWebhookApp({
    handle: options.handle ?? pinEverything(),
    judge: createDigestsJudge({ isExempt: (image) => image === 'exempt', observe: () => {} }),
    log: { info: write('info'), warn: write('warn'), error: write('error') },
    isDraining: options.isDraining ?? ((): boolean => false),
    isLate: options.isLate ?? ((): boolean => false),
    observeRefused: (code) => refused.push(code),
    observeInFlight: (change) => {
      inFlight += change;
    },
    now: () => performance.now(),
  });
  let dropped = 0;
  const server = createWebhookServer(app, {
    observeDropped: () => {
      dropped += 1;
    },
  });
  const authority = await createAuthority();
  server.setSecureContext(await authority.issue(['127.0.0.1']));
  await new Promise<void>((resolve) => {
    server.listen(0, '127.0.0.1', resolve);
  });
  const { port } = server.address() as AddressInfo;
  const ca = authority.certificate;
  return {
    port,
    ca,
    use: (pair) => server.setSecureContext(pair),
    call: (how) => call(port, ca, how),
    lines,
    refused,
    inFlight: () => inFlight,
    dropped: () => dropped,
    close: () => {
      const closed = once(server, 'close');
      server.close();
      return closed;
    },
    [Symbol.asyncDispose]: () =>
      new Promise<void>((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

function pinEverything(): AdmissionHandler {
  return createHandler({
    resolve: () => ({ digest: digest('a'), host: 'registry.example.com', stale: false, ageMs: 0 }),
    refusesShortNames: false,
    observe: () => {},
    now: () => performance.now(),
    decision: { isSkipped: () => false, allowSkipInEnforce: false },
    referenceForm: 'digest',
    untouched: { isForeignOwner: () => false },
    extraKinds: new Map(),
    refreshPolicy: 'restart',
    siblings: undefined,
    isContended: () => false,
    peek: () => undefined,
  });
}
