import type { Settings } from './setting.ts';
import { choiceOf, parseList, parseLongDurationMs, parseText } from './values.ts';

/** Who makes the serving certificate. */
type CertificateSource = 'files' | 'built-in';

/** An object in a namespace. */
interface ObjectAddress {
  readonly namespace: string;
  readonly name: string;
}

/** Whose certificate `tagpin serve` shows, and whom it answers. */
export interface CertificateSettings {
  readonly certificates: CertificateSource;
  readonly tlsCert: string;
  readonly tlsKey: string;
  readonly certificateSecret: ObjectAddress;
  readonly certificateNames: readonly string[];
  readonly webhookConfiguration: string;
  /** Milliseconds. */
  readonly certificateLifetime: number;
  /** Milliseconds. */
  readonly authorityLifetime: number;
  readonly callerTokenFile: string | undefined;
  readonly clientCa: string | undefined;
  readonly clientNames: readonly string[];
}

export const CERTIFICATE_SETTINGS: Settings<CertificateSettings> = {
  certificates: {
    flag: '--certificates SOURCE',
    fallback: 'files',
    text: 'Where the serving certificate comes from: "files", or "built-in": tagpin makes and renews it, and keeps the webhook configurations right (component built-in-certificates).',
    parse: choiceOf<CertificateSource>('files', 'built-in'),
  },
  tlsCert: {
    flag: '--tls-cert FILE',
    fallback: '/certs/tls.crt',
    text: 'The certificate chain, PEM. Read again when it changes.',
    parse: parseText,
  },
  tlsKey: {
    flag: '--tls-key FILE',
    fallback: '/certs/tls.key',
    text: 'The private key of the certificate, PEM. Read again when it changes.',
    parse: parseText,
  },
  certificateSecret: {
    flag: '--certificate-secret NAMESPACE/NAME',
    fallback: 'tagpin-system/tagpin-certificates',
    text: 'The Secret in which built-in certificates have their authority. tagpin makes it.',
    parse: parseAddress,
  },
  certificateNames: {
    flag: '--certificate-names NAMES',
    fallback: 'tagpin.tagpin-system.svc',
    text: 'Host names, and IP addresses, that built-in certificates are for: those by which the API server calls.',
    parse: parseNames,
  },
  webhookConfiguration: {
    flag: '--webhook-configuration NAME',
    fallback: 'tagpin',
    text: 'The MutatingWebhookConfiguration, and the ValidatingWebhookConfiguration where there is one, that built-in certificates are written into.',
    parse: parseText,
  },
  certificateLifetime: {
    flag: '--certificate-lifetime DURATION',
    fallback: '168h',
    text: 'How long a built-in certificate is valid; each replica makes its own, and another when a third is left.',
    parse: parseLifetimeMs,
  },
  authorityLifetime: {
    flag: '--authority-lifetime DURATION',
    fallback: '8760h',
    text: 'How long the authority of built-in certificates is valid, and the path that goes with it; the next one is made when a third is left.',
    parse: parseLifetimeMs,
  },
  callerTokenFile: {
    flag: '--caller-token-file FILE',
    fallback: undefined,
    text: 'Tokens, one a line, of which a call must name one: in /caller/TOKEN before the path. Read again when it changes. Built-in certificates bring their own.',
    parse: parseText,
  },
  clientCa: {
    flag: '--client-ca FILE',
    fallback: undefined,
    text: 'Authorities (PEM) one of which must have signed the certificate of a caller. Read again when they change.',
    parse: parseText,
  },
  clientNames: {
    flag: '--client-names NAMES',
    fallback: '',
    text: 'Common names of the callers that --client-ca lets in; all of them where none is named.',
    parse: parseList,
  },
};

/** Shorter ones would be over before they have reached every replica and API server. */
const MIN_LIFETIME_MS = 10_000;

function parseLifetimeMs(text: string): number {
  const lifetimeMs = parseLongDurationMs(text);
  if (lifetimeMs < MIN_LIFETIME_MS) throw new Error(`expected at least 10s, got ${text}`);
  return lifetimeMs;
}

function parseAddress(text: string): ObjectAddress {
  const [namespace = '', name = '', rest] = text.split('/');
  if (namespace === '' || name === '' || rest !== undefined) {
    throw new Error(`expected NAMESPACE/NAME, got ${JSON.stringify(text)}`);
  }
  return { namespace, name };
}

function parseNames(text: string): readonly string[] {
  const names = parseList(text);
  if (names.length === 0) throw new Error('expected a name, got none');
  return names;
}
