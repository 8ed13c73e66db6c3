import { createPrivateKey, X509Certificate } from 'node:crypto';
import { createSecureContext } from 'node:tls';

import { PinError } from '../errors.ts';
import type { Logger } from '../log.ts';
import { createPolledFiles, type PolledFiles } from './polled-files.ts';

/** A certificate chain and its key, as PEM. */
export interface KeyPair {
  readonly cert: string;
  readonly key: string;
}

export interface CertificateFilesOptions {
  readonly certFile: string;
  readonly keyFile: string;
  /** Given each new pair that works. */
  readonly use: (pair: KeyPair) => void;
  /** Told when the certificate in use expires, in seconds since 1970. */
  readonly observeExpiry: (timestampSeconds: number) => void;
  readonly log: Logger;
}

/** A certificate in files. */
export function createCertificateFiles(options: CertificateFilesOptions): PolledFiles {
  const { certFile, keyFile, log } = options;
  return createPolledFiles({
    files: [certFile, keyFile],
    adopt: (cert = '', key = '') => {
      const pair = { cert, key };
      const expiry = expiryOf(pair, certFile);
      options.use(pair);
      options.observeExpiry(expiry);
      log.info({ certFile, expires: new Date(expiry * 1000).toISOString() }, 'certificate loaded');
    },
    what: 'certificate',
    fields: { certFile, keyFile },
    log,
  });
}

/** Refuses a pair that does not parse or does not belong together, before anything uses it. */
function expiryOf(pair: KeyPair, certFile: string): number {
  try {
    createSecureContext(pair);
    const certificate = new X509Certificate(pair.cert);
    // A context takes an empty key for none, and is of no use to a server then.
    if (!certificate.checkPrivateKey(createPrivateKey(pair.key))) throw new Error('another key');
    return certificate.validToDate.getTime() / 1000;
  } catch (caught) {
    const message = `Cannot serve with the certificate in ${certFile}: it does not go with its key`;
    throw new PinError('invalid_config', message, { cause: caught });
  }
}
