import { describe, expect, it } from '@jest/globals';

import { toNetworkError } from '../../src/registry/network-error.ts';

const ENOUGH_MS = 60_000;

function messageOf(code: string): string {
  const cause = Object.assign(new Error('as OpenSSL has it'), { code });
  const { message, code: kind } = toNetworkError(cause, new URL('https://r.io:5000/'), ENOUGH_MS);
  return `${kind}: ${message}`;
}

describe('toNetworkError()', () => {
  it.each([
    [
      'ERR_SSL_TLSV13_ALERT_CERTIFICATE_REQUIRED',
      'refuses the client certificate, or the lack of one',
    ],
    ['ERR_SSL_SSLV3_ALERT_BAD_CERTIFICATE', 'refuses the client certificate, or the lack of one'],
    ['ERR_SSL_TLSV1_ALERT_UNKNOWN_CA', 'refuses the client certificate, or the lack of one'],
    ['CERT_HAS_EXPIRED', 'has a certificate that has expired'],
    ['CERT_NOT_YET_VALID', 'has a certificate that is not valid yet'],
    ['ERR_TLS_CERT_ALTNAME_INVALID', 'has a certificate for another name'],
    ['DEPTH_ZERO_SELF_SIGNED_CERT', 'has a certificate that it signed itself'],
    ['SELF_SIGNED_CERT_IN_CHAIN', 'has a certificate of an unknown authority'],
    ['UNABLE_TO_GET_ISSUER_CERT', 'has a certificate of an unknown authority'],
    ['UNABLE_TO_GET_ISSUER_CERT_LOCALLY', 'has a certificate of an unknown authority'],
    ['UNABLE_TO_VERIFY_LEAF_SIGNATURE', 'has a certificate of an unknown authority'],
    ['CERT_REVOKED', 'has a certificate that is not trusted'],
    ['CERT_UNTRUSTED', 'has a certificate that is not trusted'],
    ['ERR_SSL_TLSV1_ALERT_PROTOCOL_VERSION', 'does not agree on TLS'],
    ['ERR_SSL_SSL/TLS_ALERT_HANDSHAKE_FAILURE', 'does not agree on TLS'],
  ])('says of %s that the host %s', (code, said) => {
    expect(messageOf(code)).toMatch(`tls_failed: r.io:5000 ${said} (${code}`);
  });

  it.each(['DEPTH_ZERO_SELF_SIGNED_CERT', 'UNABLE_TO_VERIFY_LEAF_SIGNATURE'])(
    'says which flag trusts a host with %s',
    (code) => {
      expect(messageOf(code)).toMatch(/; --registry-ca r\.io:5000=FILE trusts its authority/);
    },
  );
});
