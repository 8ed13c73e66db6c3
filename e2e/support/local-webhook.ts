import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { Agent } from 'node:https';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { call } from '../../test/support/call.ts';
import { createCertificateAuthority } from './certificate.ts';
import { freePorts, ON_THIS_MACHINE, readOperations, startServing } from './serving.ts';

/** A webhook of this checkout without a cluster, called as an API server would call it. */
export interface LocalWebhook {
  readonly port: number;
  readonly pid: number;
  /** The PEM of the certificate authority that signed its certificate. */
  readonly authority: string;
  /**
   * Sends a review to `/admission/<mode>` and gives the AdmissionReview that is answered; the caller
   * waits 10 s, or for as long as `timeout` says.
   */
  readonly send: (mode: string, review: unknown, timeout?: string) => Promise<AdmissionAnswer>;
  readonly metrics: () => Promise<string>;
  /** What it has written so far. */
  readonly log: () => Promise<string>;
  readonly stop: () => Promise<void>;
}

interface AdmissionAnswer {
  readonly response: {
    readonly uid: string;
    readonly allowed: boolean;
    readonly patch?: string;
    readonly warnings?: readonly string[];
    readonly status?: { readonly message: string };
  };
}

/**
 * Starts it with a throw-away certificate on free ports, and waits until it is ready.
 *
 * @param nodeFlags of Node itself
 */
export async function startLocalWebhook(
  settings: readonly string[],
  nodeFlags: readonly string[] = [],
): Promise<LocalWebhook> {
  const directory = await mkdtemp(join(tmpdir(), 'tagpin-webhook-'));
  const authority = await createCertificateAuthority();
  const { certificate, key } = await authority.issueServer('127.0.0.1');
  await writeFile(join(directory, 'tls.crt'), certificate);
  await writeFile(join(directory, 'tls.key'), key, { mode: 0o600 });
  const ports = await freePorts();
  const running = await startServing({
    name: 'webhook',
    directory,
    ports,
    nodeFlags,
    flags: [
      '--no-cluster',
      `--tls-cert=${join(directory, 'tls.crt')}`,
      `--tls-key=${join(directory, 'tls.key')}`,
      ...ON_THIS_MACHINE,
      ...settings,
    ],
  });
  const agent = new Agent({ ca: authority.certificate, keepAlive: true });
  return {
    port: ports.port,
    pid: running.pid,
    authority: authority.certificate,
    send: async (mode, review, timeout = '10s') => {
      const path = `/admission/${mode}?timeout=${timeout}`;
      const { status, text } = await call(ports.port, undefined, {
        agent,
        path,
        body: JSON.stringify(review),
      });
      if (status !== 200) throw new Error(`The webhook answered ${status}: ${text}`);
      return JSON.parse(text) as AdmissionAnswer;
    },
    metrics: () => readOperations(ports, '/metrics'),
    log: () => readFile(running.logFile, 'utf8'),
    stop: async () => {
      agent.destroy();
      await running.stop();
      await rm(directory, { recursive: true });
    },
  };
}
