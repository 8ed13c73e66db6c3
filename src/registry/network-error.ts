import { PinError, type PinErrorCode } from '../errors.ts';

interface NetworkFault {
  readonly code: PinErrorCode;
  readonly said: string;
}

const UNREACHABLE: NetworkFault = { code: 'unavailable', said: 'cannot be reached' };
const NO_NAME: NetworkFault = { code: 'dns_failed', said: 'is not known to DNS' };
const TOO_SLOW: NetworkFault = { code: 'unavailable', said: 'did not answer in time' };
const BROKEN_OFF: NetworkFault = { code: 'unavailable', said: 'broke the connection off' };
const MALFORMED: NetworkFault = { code: 'invalid_response', said: 'does not speak HTTP properly' };
const OUT_OF_TIME: NetworkFault = { code: 'deadline_exceeded', said: 'did not answer in time' };

const NO_TLS: NetworkFault = {
  code: 'tls_failed',
  said: 'does not speak TLS (--plain-http allows http)',
};

/** Codes of Node's sockets, of DNS and of undici; what is not here is taken for a TLS fault or a broken connection. */
const NETWORK_FAULTS: ReadonlyMap<string, NetworkFault> = new Map([
  ['ENOTFOUND', NO_NAME],
  ['EAI_AGAIN', { code: 'dns_failed', said: 'could not be looked up: DNS does not answer' }],
  ['ENODATA', NO_NAME],
  ['ECONNREFUSED', { code: 'unavailable', said: 'refuses connections' }],
  ['EHOSTUNREACH', UNREACHABLE],
  ['ENETUNREACH', UNREACHABLE],
  ['EADDRNOTAVAIL', UNREACHABLE],
  ['ECONNRESET', BROKEN_OFF],
  ['EPIPE', BROKEN_OFF],
  ['UND_ERR_SOCKET', BROKEN_OFF],
  ['ETIMEDOUT', TOO_SLOW],
  ['UND_ERR_CONNECT_TIMEOUT', TOO_SLOW],
  ['UND_ERR_HEADERS_TIMEOUT', TOO_SLOW],
  ['UND_ERR_BODY_TIMEOUT', TOO_SLOW],
  ['UND_ERR_HEADERS_OVERFLOW', MALFORMED],
  ['UND_ERR_RES_CONTENT_LENGTH_MISMATCH', BROKEN_OFF],
  ['UND_ERR_ABORTED', OUT_OF_TIME],
  ['EPROTO', NO_TLS],
  ['ERR_SSL_WRONG_VERSION_NUMBER', NO_TLS],
  ['ERR_SSL_PACKET_LENGTH_TOO_LONG', NO_TLS],
]);

/** Codes of OpenSSL's certificate checks, and Node's own of TLS. */
const CERTIFICATE_CODE = /CERT|ISSUER|SIGNATURE|CRL/;
const TLS_CODE = /^ERR_(TLS|SSL)/;

/** The one door for errors of the network. A timeout's reason arrives as the error itself. */
export function toNetworkError(caught: unknown, url: URL): PinError {
  for (let here = caught; Error.isError(here); here = causeOf(here)) {
    if (here instanceof PinError) return here;
    if (here.name === 'TimeoutError' || here.name === 'AbortError') {
      return networkError(url, OUT_OF_TIME, caught);
    }
    const code = 'code' in here && typeof here.code === 'string' ? here.code : '';
    const fault = NETWORK_FAULTS.get(code) ?? tlsFault(code) ?? parserFault(code);
    if (fault !== undefined) return networkError(url, fault, caught);
  }
  return networkError(url, BROKEN_OFF, caught);
}

function causeOf(error: Error): unknown {
  // Several addresses were tried: the first failure stands for all.
  return 'errors' in error && Array.isArray(error.errors) ? error.errors[0] : error.cause;
}

function tlsFault(code: string): NetworkFault | undefined {
  if (CERTIFICATE_CODE.test(code)) {
    return { code: 'tls_failed', said: `has a certificate that is not trusted (${code})` };
  }
  return TLS_CODE.test(code)
    ? { code: 'tls_failed', said: `does not agree on TLS (${code})` }
    : undefined;
}

function parserFault(code: string): NetworkFault | undefined {
  return code.startsWith('HPE_') ? MALFORMED : undefined;
}

function networkError(url: URL, { code, said }: NetworkFault, cause: unknown): PinError {
  return new PinError(code, `${url.host} ${said}`, { cause, host: url.hostname });
}
