import { createHash, X509Certificate } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { createSecureContext } from 'node:tls';

import { PinError } from '../../errors.ts';
import type { TlsSettings } from '../connection.ts';

/** TLS as an operator's files name it: paths, whose content may change. */
export interface TlsFiles {
  /** PEM, each with one authority or more. */
  readonly ca: readonly string[];
  /** The client's certificate, and its key where that lies in another file. */
  readonly client?: { readonly cert: string; readonly key?: string };
  /** Undefined where the operator said nothing of it. */
  readonly skipVerify?: boolean;
}

/** A certificate of RFC 7468 section 5. */
const CERTIFICATE = /-----BEGIN CERTIFICATE-----[^-]+-----END CERTIFICATE-----/g;

/** Reads what the paths name; undefined where they say nothing. Throws `invalid_config`. */
export function readTlsFiles(files: TlsFiles): TlsSettings | undefined {
  const { ca: caFiles, client, skipVerify } = files;
  const ca = caFiles.flatMap(readAuthorities);
  const pair = client === undefined ? undefined : readClient(client);
  if (ca.length === 0 && pair === undefined && skipVerify !== true) return undefined;
  return {
    id: idOf([...ca, pair?.cert ?? '', pair?.key ?? '', String(skipVerify === true)]),
    ...(ca.length > 0 && { ca }),
    ...pair,
    ...(skipVerify === true && { skipVerify }),
  };
}

/** The paths that a change of these settings may be seen at. */
export function pathsOf({ ca, client }: TlsFiles): readonly string[] {
  return [...ca, client?.cert, client?.key].filter((path) => path !== undefined);
}

/** Stands for contents, keys among them, without telling them. */
export function idOf(contents: readonly string[]): string {
  return createHash('sha256').update(JSON.stringify(contents)).digest('hex');
}

/** The certificates of a PEM file. Throws `invalid_config` where it holds none, or a broken one. */
export function readAuthorities(file: string): readonly string[] {
  const certificates = readText(file).match(CERTIFICATE) ?? [];
  if (certificates.length === 0) throw unusable(file, 'it holds no PEM certificate');
  try {
    // Node takes a broken authority for none, and says nothing.
    return certificates.map((certificate) => new X509Certificate(certificate).toString());
  } catch (caught) {
    throw unusable(file, 'it holds a broken certificate', caught);
  }
}

function readClient(client: { readonly cert: string; readonly key?: string }): {
  readonly cert: string;
  readonly key: string;
} {
  const cert = readText(client.cert);
  const key = client.key === undefined ? cert : readText(client.key);
  try {
    createSecureContext({ cert, key });
  } catch (caught) {
    throw unusable(client.cert, 'it does not go with its key', caught);
  }
  return { cert, key };
}

function readText(file: string): string {
  try {
    return readFileSync(file, 'utf8');
  } catch (caught) {
    throw new PinError('invalid_config', `Cannot read ${file}`, { cause: caught });
  }
}

function unusable(file: string, why: string, cause?: unknown): PinError {
  return new PinError('invalid_config', `Cannot use the certificate file ${file}: ${why}`, {
    cause,
  });
}
