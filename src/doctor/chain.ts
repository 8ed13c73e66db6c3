import { X509Certificate } from 'node:crypto';
import { isIP } from 'node:net';

/** More than a server of sound mind shows. */
const MAX_STEPS = 10;

/**
 * Whether the first certificate leads to one of a bundle, by way of the others; as the API server
 * judges it, but for names and dates. False for what cannot be read.
 */
export function isSignedBy(chain: readonly string[], bundle: readonly string[]): boolean {
  const trusted = bundle.flatMap(certificateOf);
  const [leaf, ...others] = chain.flatMap(certificateOf);
  let here = leaf;
  for (let step = 0; here !== undefined && step < MAX_STEPS; step += 1) {
    const child = here;
    if (trusted.some((authority) => isIssuer(authority, child))) return true;
    here = others.find((other) => isIssuer(other, child));
  }
  return false;
}

function isIssuer(authority: X509Certificate, child: X509Certificate): boolean {
  // One that is itself in the bundle is trusted, too.
  if (authority.fingerprint256 === child.fingerprint256) return true;
  return child.checkIssued(authority) && child.verify(authority.publicKey);
}

/** Whether a certificate is for a host, by its alternative names (RFC 9525). */
export function isFor(pem: string, host: string): boolean {
  const [certificate] = certificateOf(pem);
  if (certificate === undefined) return false;
  const found = isIP(host) === 0 ? certificate.checkHost(host) : certificate.checkIP(host);
  return found !== undefined;
}

function certificateOf(pem: string): readonly X509Certificate[] {
  try {
    return [new X509Certificate(pem)];
  } catch {
    return [];
  }
}
