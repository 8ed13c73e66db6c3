import { randomUUID } from 'node:crypto';
import { isIP } from 'node:net';

import { generate } from 'selfsigned';

/** A certificate and its key, in PEM. */
export interface KeyPair {
  readonly cert: string;
  readonly key: string;
}

/** A throw-away certificate authority, which lives as long as the object. */
export interface Authority {
  readonly certificate: string;
  /** A certificate for servers and clients, for host names and IP addresses, valid until `notAfter` or for a year. */
  readonly issue: (names: readonly string[], notAfter?: Date) => Promise<KeyPair>;
  /** Another authority, by a certificate of this one. */
  readonly delegate: () => Promise<Authority>;
}

const KEYS = { keyType: 'ec', curve: 'P-256', algorithm: 'sha256' } as const;

/** A new authority that nobody trusts yet, or one by the certificate of another. */
export async function createAuthority(parent?: KeyPair): Promise<Authority> {
  const authority = await generate([{ name: 'commonName', value: `test ${randomUUID()}` }], {
    ...KEYS,
    ...(parent && { ca: parent }),
    extensions: [
      { name: 'basicConstraints', cA: true, critical: true },
      { name: 'keyUsage', keyCertSign: true, cRLSign: true, critical: true },
    ],
  });
  const own = { key: authority.private, cert: authority.cert };
  return {
    certificate: own.cert,
    delegate: () => createAuthority(own),
    issue: async (names, notAfter) => {
      const issued = await generate([{ name: 'commonName', value: names[0] ?? '' }], {
        ...KEYS,
        ca: own,
        ...(notAfter && { notAfterDate: notAfter }),
        extensions: [
          { name: 'keyUsage', digitalSignature: true, critical: true },
          { name: 'extKeyUsage', serverAuth: true, clientAuth: true },
          { name: 'subjectAltName', altNames: names.map(toAltName) },
        ],
      });
      return { cert: issued.cert, key: issued.private };
    },
  };
}

/** A certificate of no name that nobody else vouches for. */
export async function createSelfSigned(): Promise<KeyPair> {
  const { cert, private: key } = await generate([{ name: 'commonName', value: 'self' }], KEYS);
  return { cert, key };
}

/** A GeneralName of RFC 5280 section 4.2.1.6: 2 is a DNS name, 7 an IP address. */
function toAltName(name: string): { type: 7; ip: string } | { type: 2; value: string } {
  return isIP(name) === 0 ? { type: 2, value: name } : { type: 7, ip: name };
}
