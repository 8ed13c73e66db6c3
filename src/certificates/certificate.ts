import { X509Certificate } from 'node:crypto';

/** As much of a certificate as decisions need. */
export interface Certificate {
  readonly pem: string;
  /** SHA-256 of its bytes: what it is known by. */
  readonly fingerprint: string;
  readonly notBeforeMs: number;
  readonly notAfterMs: number;
}

/** A hyphen is no letter of base64: a block that never ends is not looked through again and again. */
const PEM_BLOCK = /-----BEGIN CERTIFICATE-----[^-]*-----END CERTIFICATE-----/g;
/** Some three times what operating systems bring along. */
const MAX_CERTIFICATES = 512;

/** Those certificates of a text that can be read, each once, at most 512 of them. */
export function readCertificates(text: string): readonly Certificate[] {
  const found = new Map<string, Certificate>();
  for (const [block] of text.matchAll(PEM_BLOCK)) {
    const certificate = readCertificate(block);
    if (certificate !== undefined) found.set(certificate.fingerprint, certificate);
    if (found.size === MAX_CERTIFICATES) break;
  }
  return [...found.values()];
}

/** The first certificate of a text; undefined where it holds none that can be read. */
export function readCertificate(pem: string): Certificate | undefined {
  try {
    const parsed = new X509Certificate(pem);
    return {
      pem: parsed.toString(),
      fingerprint: parsed.fingerprint256,
      notBeforeMs: parsed.validFromDate.getTime(),
      notAfterMs: parsed.validToDate.getTime(),
    };
  } catch {
    // What an API server cannot read either proves nothing to it.
    return undefined;
  }
}

export function isExpired({ notAfterMs }: Certificate, nowMs: number): boolean {
  return notAfterMs <= nowMs;
}

export function isValid(certificate: Certificate, nowMs: number): boolean {
  return certificate.notBeforeMs <= nowMs && !isExpired(certificate, nowMs);
}

/**
 * Whether a third of its life is left, or less. Of its own life: what was signed under another
 * setting is renewed in its own time.
 */
export function isDue({ notBeforeMs, notAfterMs }: Certificate, nowMs: number): boolean {
  return nowMs >= notAfterMs - (notAfterMs - notBeforeMs) / 3;
}
