import type { Server, ServerOptions } from 'node:https';
import { createSecureContext, type TLSSocket } from 'node:tls';

import { PinError } from '../errors.ts';
import type { Logger } from '../log.ts';
import { createPolledFiles, type PolledFiles } from './polled-files.ts';
import type { KeyPair } from './tls.ts';

/** Options of a server that asks its callers for certificates, and ends the handshake without. */
export const ASKING_CLIENTS: ServerOptions = { requestCert: true, rejectUnauthorized: true };

/** What a server shows and whom it trusts, put together from what comes at different times. */
export interface SecureContexts {
  readonly usePair: (pair: KeyPair) => void;
  readonly useClientAuthorities: (pem: string) => void;
}

/** @param asksClients without their authorities, such a server must not listen to anybody */
export function createSecureContexts(
  server: Pick<Server, 'setSecureContext'>,
  asksClients: boolean,
): SecureContexts {
  let pair: KeyPair | undefined;
  let ca: string | undefined;
  const apply = (): void => {
    if (pair === undefined || (asksClients && ca === undefined)) return;
    server.setSecureContext({ ...pair, ...(ca !== undefined && { ca }) });
  };
  return {
    usePair: (next) => {
      pair = next;
      apply();
    },
    useClientAuthorities: (pem) => {
      ca = pem;
      apply();
    },
  };
}

/** The authorities of callers' certificates, in a file. */
export function createClientAuthorities(
  file: string,
  use: (pem: string) => void,
  log: Logger,
): PolledFiles {
  return createPolledFiles({
    files: [file],
    adopt: (pem = '') => {
      requireAuthorities(pem, file);
      use(pem);
      log.info({ file }, 'authorities of callers loaded');
    },
    what: 'authorities of callers',
    fields: { file },
    log,
  });
}

function requireAuthorities(pem: string, file: string): void {
  const message = `Cannot use ${file} as authorities of callers`;
  try {
    createSecureContext({ ca: pem });
  } catch (caught) {
    throw new PinError('invalid_config', message, { cause: caught });
  }
  // A context takes a text without any for nothing wrong.
  if (!pem.includes('-----BEGIN CERTIFICATE-----')) throw new PinError('invalid_config', message);
}

/** OpenSSL's word for a caller who was asked for a certificate and has shown none. */
const NO_CERTIFICATE = 'ERR_SSL_PEER_DID_NOT_RETURN_A_CERTIFICATE';

/**
 * Ends the connection of a caller whose certificate has another common name (the API server's is that
 * of the certificate in its AdmissionConfiguration). Looks once a connection.
 *
 * @param countRefused told of each caller without a certificate that is good here, too: their handshakes have
 *   failed by then. Not of other handshakes that fail, as those of who only looks whether the port is open.
 */
export function admitClients(
  server: Server,
  names: readonly string[],
  countRefused: () => void,
): void {
  server.on('tlsClientError', (error: NodeJS.ErrnoException, socket: TLSSocket) => {
    if (error.code === NO_CERTIFICATE || isNotAuthorized(socket)) countRefused();
  });
  if (names.length === 0) return;
  server.on('secureConnection', (socket: TLSSocket) => {
    const name: unknown = socket.getPeerCertificate().subject?.CN;
    if (typeof name === 'string' && names.includes(name)) return;
    countRefused();
    socket.destroy();
  });
}

/** Nothing before a certificate was judged, whatever the type says. */
function isNotAuthorized({
  authorizationError,
}: {
  readonly authorizationError: unknown;
}): boolean {
  return authorizationError !== null && authorizationError !== undefined;
}
