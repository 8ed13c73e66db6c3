import { X509Certificate } from 'node:crypto';
import { describe, expect, it } from '@jest/globals';

import { isSignedBy } from '../../src/doctor/chain.ts';
import { lookAtServer } from '../../src/doctor/handshake.ts';
import { createAuthority } from '../support/certificate.ts';
import { startRegistry } from '../support/scripted-registry.ts';

describe('lookAtServer()', () => {
  it('gives the certificate that is shown, whoever signed it', async () => {
    const [authority, other] = await Promise.all([createAuthority(), createAuthority()]);
    const pair = await authority.issue(['127.0.0.1']);
    await using server = await startRegistry([], pair);
    const seen = await lookAtServer(server.origin);
    const chain = seen.state === 'shown' ? seen.chain : [];
    const { fingerprint256 } = new X509Certificate(pair.cert);
    expect(chain.map((pem) => new X509Certificate(pem).fingerprint256)).toEqual([fingerprint256]);
    expect(isSignedBy(chain, [authority.certificate])).toBe(true);
    expect(isSignedBy(chain, [other.certificate, 'no certificate'])).toBe(false);
    expect(server.requests).toEqual([]);
  });

  it('says of a server that is gone, and of one without TLS, that it is not reached', async () => {
    await using plain = await startRegistry([]);
    const gone = await startRegistry([]);
    await gone[Symbol.asyncDispose]();
    expect(await lookAtServer(`https://${gone.host}`)).toEqual({
      state: 'unreachable',
      why: 'ECONNREFUSED',
    });
    expect(await lookAtServer(`https://${plain.host}`)).toMatchObject({ state: 'unreachable' });
  });
});
