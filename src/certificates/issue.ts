import { createPrivateKey, KeyObject, webcrypto } from 'node:crypto';
import { isIP } from 'node:net';

import type * as X509 from '@peculiar/x509';

import { PinError } from '../errors.ts';
import { readCertificate } from './certificate.ts';
import type { IssuedPair, Issuer, Validity } from './ports.ts';

const ALGORITHM = { name: 'ECDSA', namedCurve: 'P-256' } as const;
const SIGNATURE = { name: 'ECDSA', hash: 'SHA-256' } as const;

/** The clocks of those who look at a certificate may be behind by as much. */
const MAX_BACKDATE_MS = 5 * 60_000;

/** Certificates of P-256 keys, as RFC 5280 describes them. */
export function createIssuer(): Issuer {
  return {
    authority: async (validity) => {
      const x509 = await library();
      const keys = await newKeys();
      const name = `CN=tagpin authority ${randomHex(4)}`;
      const certificate = await x509.X509CertificateGenerator.create({
        ...common(validity),
        subject: name,
        issuer: name,
        publicKey: keys.publicKey,
        signingKey: keys.privateKey,
        extensions: [
          new x509.BasicConstraintsExtension(true, 0, true),
          new x509.KeyUsagesExtension(x509.KeyUsageFlags.keyCertSign, true),
          await x509.SubjectKeyIdentifierExtension.create(keys.publicKey),
        ],
      });
      return pairOf(certificate.toString('pem'), keys.privateKey);
    },
    serving: async (by, names, validity) => {
      const x509 = await library();
      const keys = await newKeys();
      const authority = new x509.X509Certificate(by.certificate.pem);
      const certificate = await x509.X509CertificateGenerator.create({
        ...common(validity),
        subject: 'CN=tagpin',
        issuer: authority.subjectName,
        publicKey: keys.publicKey,
        signingKey: createPrivateKey(by.key).toCryptoKey(ALGORITHM, false, ['sign']),
        extensions: [
          new x509.BasicConstraintsExtension(false, undefined, true),
          new x509.KeyUsagesExtension(x509.KeyUsageFlags.digitalSignature, true),
          new x509.ExtendedKeyUsageExtension([x509.ExtendedKeyUsage.serverAuth]),
          await x509.AuthorityKeyIdentifierExtension.create(authority.publicKey),
          new x509.SubjectAlternativeNameExtension(
            names.map((value) => ({ type: isIP(value) === 0 ? 'dns' : 'ip', value })),
          ),
        ],
      });
      return pairOf(certificate.toString('pem'), keys.privateKey);
    },
  };
}

/** It takes a quarter of a second, and wants decorators' metadata to be there before it. */
async function library(): Promise<typeof X509> {
  await import('reflect-metadata');
  return import('@peculiar/x509');
}

async function newKeys(): Promise<webcrypto.CryptoKeyPair> {
  return webcrypto.subtle.generateKey(ALGORITHM, true, ['sign', 'verify']);
}

function common({ nowMs, notAfterMs }: Validity) {
  const backdateMs = Math.min(MAX_BACKDATE_MS, (notAfterMs - nowMs) / 10);
  return {
    // 16 bytes without a sign: RFC 5280 section 4.1.2.2 wants a positive number.
    serialNumber: `4${randomHex(16).slice(1)}`,
    notBefore: new Date(nowMs - backdateMs),
    notAfter: new Date(notAfterMs),
    signingAlgorithm: SIGNATURE,
  };
}

function pairOf(cert: string, privateKey: webcrypto.CryptoKey): IssuedPair {
  const certificate = readCertificate(cert);
  if (certificate === undefined) throw new PinError('internal', 'Cannot read an own certificate');
  const key = KeyObject.from(privateKey).export({ type: 'pkcs8', format: 'pem' });
  return { cert: certificate.pem, key: String(key), certificate };
}

function randomHex(bytes: number): string {
  return Buffer.from(webcrypto.getRandomValues(new Uint8Array(bytes))).toString('hex');
}
