import { createPrivateKey, X509Certificate } from 'node:crypto';

import { describe, expect, it } from '@jest/globals';

import { createIssuer } from '../../src/certificates/issue.ts';

const NOW_MS = Date.parse('2030-01-01T00:00:00Z');
const DAY_MS = 86_400_000;
const issuer = createIssuer();

describe('createIssuer()', () => {
  it('makes an authority that may sign certificates, and no other authorities', async () => {
    const { cert, key } = await issuer.authority({ nowMs: NOW_MS, notAfterMs: NOW_MS + DAY_MS });
    const parsed = new X509Certificate(cert);
    expect(parsed.ca).toBe(true);
    expect(parsed.checkIssued(parsed)).toBe(true);
    expect(parsed.checkPrivateKey(createPrivateKey(key))).toBe(true);
    expect(parsed.subject).toMatch(/^CN=tagpin authority [0-9a-f]{8}$/);
  });

  it('makes certificates for host names and addresses, each with a key and a number of its own', async () => {
    const validity = { nowMs: NOW_MS, notAfterMs: NOW_MS + DAY_MS };
    const authority = await issuer.authority(validity);
    const names = ['tagpin.tagpin-system.svc', '127.0.0.1', '::1'];
    const one = await issuer.serving(authority, names, validity);
    const parsed = new X509Certificate(one.cert);
    expect(parsed.checkHost('tagpin.tagpin-system.svc')).toBeDefined();
    expect(parsed.checkHost('other.tagpin-system.svc')).toBeUndefined();
    expect(parsed.checkIP('127.0.0.1')).toBe('127.0.0.1');
    expect(parsed.checkIP('::1')).toBe('::1');
    expect(parsed.ca).toBe(false);
    expect(parsed.verify(new X509Certificate(authority.cert).publicKey)).toBe(true);
    expect(parsed.checkPrivateKey(createPrivateKey(one.key))).toBe(true);
    const other = await issuer.serving(authority, names, validity);
    expect(new X509Certificate(other.cert).serialNumber).not.toBe(parsed.serialNumber);
    expect(other.key).not.toBe(one.key);
  });

  it.each([
    [DAY_MS, 5 * 60_000],
    [20_000, 2000],
  ])(
    'lets what lives for %i ms begin %i ms ago, for clocks that are behind',
    async (lifetimeMs, backMs) => {
      const validity = { nowMs: NOW_MS, notAfterMs: NOW_MS + lifetimeMs };
      const { certificate } = await issuer.authority(validity);
      expect(certificate.notBeforeMs).toBe(NOW_MS - backMs);
      expect(certificate.notAfterMs).toBe(NOW_MS + lifetimeMs);
    },
  );
});
