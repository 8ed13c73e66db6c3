import type { PinErrorCode } from '../error-codes.ts';
import { PinError } from '../errors.ts';

interface NetworkFault {
  readonly code: PinErrorCode;
  readonly said: string;
  /** Whether a connection stood; undefined where the host did answer, or the fault is ours. */
  readonly connected?: boolean;
  readonly asked?: false;
}

const UNREACHABLE: NetworkFault = {
  code: 'unavailable',
  said: 'cannot be reached',
  connected: false,
};
const NO_SOCKET: NetworkFault = {
  code: 'unavailable',
  said: 'is not asked: this machine has no port left for another connection',
  asked: false,
};
const NO_FILE: NetworkFault = {
  ...NO_SOCKET,
  said: 'is not asked: no file descriptor is left (raise the limit of open files)',
};
const NO_NAME: NetworkFault = {
  code: 'dns_failed',
  said: 'is not known to DNS',
  connected: false,
};
const NO_DNS: NetworkFault = {
  code: 'dns_failed',
  said: 'could not be looked up: DNS does not answer',
  connected: false,
};
const NO_CONNECTION: NetworkFault = {
  code: 'unavailable',
  said: 'did not answer in time',
  connected: false,
};
const TOO_SLOW: NetworkFault = { ...NO_CONNECTION, connected: true };
const BROKEN_OFF: NetworkFault = {
  code: 'unavailable',
  said: 'broke the connection off',
  connected: true,
};
const MALFORMED: NetworkFault = { code: 'invalid_response', said: 'does not speak HTTP properly' };
const OUT_OF_TIME: NetworkFault = {
  code: 'deadline_exceeded',
  said: 'did not answer in time',
  connected: true,
};
const HURRIED: NetworkFault = { code: 'deadline_exceeded', said: OUT_OF_TIME.said };

const NO_TLS: NetworkFault = {
  code: 'tls_failed',
  said: 'does not speak TLS (--plain-http HOST allows http)',
  connected: false,
};

/** Codes of Node's sockets, of DNS and of undici; what is not here is taken for a TLS fault or a broken connection. */
const NETWORK_FAULTS: ReadonlyMap<string, NetworkFault> = new Map([
  ['ENOTFOUND', NO_NAME],
  ['EAI_AGAIN', NO_DNS],
  ['ENODATA', NO_NAME],
  ['ECONNREFUSED', { ...UNREACHABLE, said: 'refuses connections' }],
  ['EHOSTUNREACH', UNREACHABLE],
  ['ENETUNREACH', UNREACHABLE],
  ['EADDRNOTAVAIL', NO_SOCKET],
  ['EMFILE', NO_FILE],
  ['ENFILE', NO_FILE],
  ['ECONNRESET', BROKEN_OFF],
  ['EPIPE', BROKEN_OFF],
  ['UND_ERR_SOCKET', BROKEN_OFF],
  ['ETIMEDOUT', NO_CONNECTION],
  ['UND_ERR_CONNECT_TIMEOUT', NO_CONNECTION],
  ['UND_ERR_HEADERS_TIMEOUT', TOO_SLOW],
  ['UND_ERR_BODY_TIMEOUT', TOO_SLOW],
  ['UND_ERR_HEADERS_OVERFLOW', MALFORMED],
  ['UND_ERR_RES_CONTENT_LENGTH_MISMATCH', BROKEN_OFF],
  ['UND_ERR_ABORTED', OUT_OF_TIME],
  ['EPROTO', NO_TLS],
  ['ERR_SSL_WRONG_VERSION_NUMBER', NO_TLS],
  ['ERR_SSL_PACKET_LENGTH_TOO_LONG', NO_TLS],
]);

const TRUST = '; --registry-ca HOST=FILE trusts its authority, and so does NODE_EXTRA_CA_CERTS';

/** Codes of OpenSSL's certificate checks, and Node's own of TLS; the first row that fits, and what helps. */
const TLS_FAULTS: readonly (readonly [codes: RegExp, said: string, hint?: string])[] = [
  [
    /ALERT_(\w*CERTIFICATE|UNKNOWN_CA)/,
    'refuses the client certificate, or the lack of one',
    '; a hosts.toml in --hosts-dir names one',
  ],
  [/^CERT_HAS_EXPIRED$/, 'has a certificate that has expired'],
  [/^CERT_NOT_YET_VALID$/, 'has a certificate that is not valid yet'],
  [/^ERR_TLS_CERT_ALTNAME/, 'has a certificate for another name'],
  [/^DEPTH_ZERO_SELF_SIGNED_CERT$/, 'has a certificate that it signed itself', TRUST],
  [/^UNABLE_TO_(VERIFY|GET)|^SELF_SIGNED/, 'has a certificate of an unknown authority', TRUST],
  [/CERT|ISSUER|SIGNATURE|CRL/, 'has a certificate that is not trusted'],
  [/^ERR_(TLS|SSL)/, 'does not agree on TLS'],
];

/** Whoever was given less time than this, and ran out of it, has not failed to answer. */
const FAIR_WAIT_MS = 2000;

/**
 * The one door for errors of the network. A timeout's reason arrives as the error itself.
 * `waitedMs` is how long the host had to answer.
 */
export function toNetworkError(caught: unknown, url: URL, waitedMs: number): PinError {
  const outOfTime = waitedMs < FAIR_WAIT_MS ? HURRIED : OUT_OF_TIME;
  for (let here = caught; Error.isError(here); here = causeOf(here)) {
    if (here instanceof PinError) return here;
    if (here.name === 'TimeoutError' || here.name === 'AbortError') {
      return networkError(url, outOfTime, caught);
    }
    const code = 'code' in here && typeof here.code === 'string' ? here.code : '';
    const fault = NETWORK_FAULTS.get(code) ?? tlsFault(code, url) ?? parserFault(code);
    if (fault !== undefined) return networkError(url, fault, caught);
  }
  return networkError(url, BROKEN_OFF, caught);
}

function causeOf(error: Error): unknown {
  // Several addresses were tried: the first failure stands for all.
  return 'errors' in error && Array.isArray(error.errors) ? error.errors[0] : error.cause;
}

function tlsFault(code: string, { host }: URL): NetworkFault | undefined {
  const row = TLS_FAULTS.find(([codes]) => codes.test(code));
  if (row === undefined) return undefined;
  const hint = row[2]?.replace('HOST', host) ?? '';
  return { code: 'tls_failed', said: `${row[1]} (${code}${hint})`, connected: false };
}

function parserFault(code: string): NetworkFault | undefined {
  return code.startsWith('HPE_') ? MALFORMED : undefined;
}

function networkError(url: URL, fault: NetworkFault, cause: unknown): PinError {
  const { code, said, connected, asked } = fault;
  return new PinError(code, `${url.host} ${said.replace('HOST', () => url.host)}`, {
    cause,
    host: url.hostname,
    ...(asked !== undefined && { asked }),
    ...(connected !== undefined && { silence: { origin: url.origin, connected } }),
  });
}
