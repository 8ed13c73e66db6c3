import { isIP } from 'node:net';
import { connect, type DetailedPeerCertificate } from 'node:tls';

import { hostOf } from './origin.ts';

/** What was seen of a server that speaks TLS. */
export type Handshake =
  /** PEM, from its own certificate on. */
  | { readonly state: 'shown'; readonly chain: readonly string[] }
  | { readonly state: 'unreachable'; readonly why: string };

/** Looks at the certificate that a server shows, whoever signed it. */
export type LookAtServer = (origin: string) => Promise<Handshake>;

const HANDSHAKE_TIME_MS = 10_000;
const MAX_CHAIN = 10;

/** Nothing is sent to it, and nothing of it is believed. */
export const lookAtServer: LookAtServer = (origin) =>
  new Promise((resolve) => {
    const { port } = new URL(origin);
    const host = hostOf(origin);
    const socket = connect({
      host,
      port: Number(port || 443),
      ...(isIP(host) === 0 && { servername: host }),
      // It is judged elsewhere, by the bundle of the webhook configuration.
      rejectUnauthorized: false,
    });
    const end = (handshake: Handshake): void => {
      socket.destroy();
      resolve(handshake);
    };
    socket.setTimeout(HANDSHAKE_TIME_MS, () =>
      end({ state: 'unreachable', why: 'no answer in time' }),
    );
    socket.once('error', (error: NodeJS.ErrnoException) =>
      end({ state: 'unreachable', why: error.code ?? 'no TLS' }),
    );
    socket.once('secureConnect', () =>
      end({ state: 'shown', chain: chainOf(socket.getPeerCertificate(true)) }),
    );
  });

function chainOf(first: DetailedPeerCertificate): readonly string[] {
  const chain: string[] = [];
  let here: DetailedPeerCertificate | undefined = first;
  while (here?.raw !== undefined && chain.length < MAX_CHAIN) {
    const base64 = here.raw.toString('base64');
    chain.push(`-----BEGIN CERTIFICATE-----\n${base64}\n-----END CERTIFICATE-----\n`);
    // A certificate that signed itself is its own issuer.
    here = here.issuerCertificate === here ? undefined : here.issuerCertificate;
  }
  return chain;
}
