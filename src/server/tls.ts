import { createPrivateKey, X509Certificate } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { createSecureContext } from 'node:tls';

import { PinError } from '../errors.ts';
import { describeError, type Logger } from '../log.ts';

/** A certificate chain and its key, as PEM. */
interface KeyPair {
  readonly cert: string;
  readonly key: string;
}

/** A certificate in files, read again for as long as the program runs. */
export interface CertificateFiles {
  /** Reads the pair, now and ever again; a missing or broken pair is logged, and tried again. */
  readonly start: () => Promise<void>;
  readonly isLoaded: () => boolean;
  readonly stop: () => void;
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

/**
 * Reading beats watching here: kubelet swaps a mounted Secret by renaming a directory, which file
 * watchers of the platforms report in different ways, or not at all.
 */
const POLL_INTERVAL_MS = 10_000;
const FIRST_POLL_INTERVAL_MS = 1000;

export function createCertificateFiles(options: CertificateFilesOptions): CertificateFiles {
  const { certFile, keyFile, log } = options;
  let current: KeyPair | undefined;
  let timer: NodeJS.Timeout | undefined;

  const adopt = async (): Promise<void> => {
    const pair = { cert: await read(certFile), key: await read(keyFile) };
    if (pair.cert === current?.cert && pair.key === current.key) return;
    const expiry = expiryOf(pair, certFile);
    options.use(pair);
    options.observeExpiry(expiry);
    current = pair;
    log.info({ certFile, expires: new Date(expiry * 1000).toISOString() }, 'certificate loaded');
  };

  const poll = async (): Promise<void> => {
    try {
      await adopt();
    } catch (caught) {
      // Half of a pair may be new while the other is not: the old pair serves on.
      log.warn({ certFile, keyFile, ...describeError(caught) }, 'certificate not loaded');
    }
    const delayMs = current === undefined ? FIRST_POLL_INTERVAL_MS : POLL_INTERVAL_MS;
    timer = setTimeout(() => void poll(), delayMs);
    timer.unref();
  };

  return { start: poll, isLoaded: () => current !== undefined, stop: () => clearTimeout(timer) };
}

async function read(file: string): Promise<string> {
  try {
    return await readFile(file, 'utf8');
  } catch (caught) {
    throw new PinError('invalid_config', `Cannot read ${file}`, { cause: caught });
  }
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
