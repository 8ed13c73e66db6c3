import { generate } from 'selfsigned';

/** A certificate and its key, in PEM. */
export interface KeyPair {
  readonly certificate: string;
  readonly key: string;
}

/** A throw-away certificate authority, which lives as long as the object. */
export interface CertificateAuthority {
  readonly certificate: string;
  /** A server certificate for an IP address. */
  issueServer(ip: string): Promise<KeyPair>;
  /** A client certificate; the API server reads the user from CN and the group from O. */
  issueClient(user: string, group: string): Promise<KeyPair>;
}

/** Nothing of a cluster was made a moment ago: a clock that is some days behind takes it for good. */
const NOT_BEFORE = new Date(Date.now() - 7 * 86_400_000);
const KEYS = {
  keyType: 'ec',
  curve: 'P-256',
  algorithm: 'sha256',
  notBeforeDate: NOT_BEFORE,
} as const;

/** A new certificate authority. */
export async function createCertificateAuthority(): Promise<CertificateAuthority> {
  const authority = await generate([{ name: 'commonName', value: 'tagpin e2e' }], {
    ...KEYS,
    extensions: [
      { name: 'basicConstraints', cA: true, critical: true },
      { name: 'keyUsage', keyCertSign: true, cRLSign: true, critical: true },
    ],
  });
  const ca = { key: authority.private, cert: authority.cert };

  return {
    certificate: authority.cert,
    async issueServer(ip) {
      const issued = await generate([{ name: 'commonName', value: ip }], {
        ...KEYS,
        ca,
        extensions: [
          { name: 'keyUsage', digitalSignature: true, critical: true },
          { name: 'extKeyUsage', serverAuth: true },
          { name: 'subjectAltName', altNames: [{ type: 7, ip }] },
        ],
      });
      return { certificate: issued.cert, key: issued.private };
    },
    async issueClient(user, group) {
      const subject = [
        { name: 'commonName', value: user },
        { name: 'organizationName', value: group },
      ];
      const issued = await generate(subject, {
        ...KEYS,
        ca,
        extensions: [
          { name: 'keyUsage', digitalSignature: true, critical: true },
          { name: 'extKeyUsage', clientAuth: true },
        ],
      });
      return { certificate: issued.cert, key: issued.private };
    },
  };
}
