import { createPrivateKey, X509Certificate } from 'node:crypto';

import { isCallerToken } from '../caller-path.ts';
import { PinError } from '../errors.ts';
import { isJsonObject, type JsonObject, listOf, parseJson, textOf } from '../json.ts';
import { type Certificate, readCertificate } from './certificate.ts';

/** An authority, and the token in the path that goes with it. */
export interface Generation {
  readonly certificate: Certificate;
  /** PKCS #8, PEM. */
  readonly key: string;
  readonly token: string;
  /** Whether every API server and every replica has had the time to learn of it. */
  readonly settled: boolean;
}

/** A certificate that stands in a bundle and belongs to nobody that the Secret knows. */
export interface Leaving {
  readonly fingerprint: string;
  /** Milliseconds since 1970: until then something may still show a certificate of it. */
  readonly untilMs: number;
}

/** A token in a path that the Secret did not know: of one that was deleted, for example. */
export interface FormerToken {
  readonly token: string;
  /** Milliseconds since 1970: until then somebody may still call by it. */
  readonly untilMs: number;
}

/** What all replicas share: the content of the Secret. */
export interface State {
  /** From the oldest on. */
  readonly generations: readonly Generation[];
  readonly leaving: readonly Leaving[];
  readonly formerTokens: readonly FormerToken[];
}

export const NO_STATE: State = { generations: [], leaving: [], formerTokens: [] };

/** The one key of the Secret. */
const DATA_KEY = 'certificates.json';
const VERSION = 1;
/** Of each list; a Secret with more is none of tagpin's. */
export const MAX_ITEMS = 64;

/**
 * The state in the `data` of a Secret; undefined for a Secret that is empty.
 *
 * @param where names the Secret, for the message
 * @throws PinError `invalid_config` for anything that tagpin has not written, without its content
 */
export function readState(data: unknown, where: string): State | undefined {
  const fields = isJsonObject(data) ? data : {};
  const text = textOf(fields, DATA_KEY);
  if (text === undefined) {
    const [other] = Object.keys(fields);
    if (other === undefined) return undefined;
    throw foreign(where, `it has ${JSON.stringify(other)} where ${DATA_KEY} was expected`);
  }
  const value = parseJson(Buffer.from(text, 'base64').toString('utf8'));
  if (!isJsonObject(value)) throw foreign(where, `${DATA_KEY} is no JSON object`);
  if (value['version'] !== VERSION) {
    throw foreign(where, `${DATA_KEY} is of another version than ${VERSION}`);
  }
  return {
    generations: itemsOf(value, 'generations', where).map((item) => readGeneration(item, where)),
    leaving: itemsOf(value, 'leaving', where).map((item) => ({
      fingerprint: textIn(item, 'fingerprint', where),
      untilMs: untilOf(item, where),
    })),
    formerTokens: itemsOf(value, 'formerTokens', where).map((item) => ({
      token: tokenOf(item, where),
      untilMs: untilOf(item, where),
    })),
  };
}

function itemsOf(value: JsonObject, field: keyof State, where: string): readonly JsonObject[] {
  const items = listOf(value, field);
  if (items.length > MAX_ITEMS || !items.every(isJsonObject)) {
    throw foreign(where, `its ${field} are not as tagpin writes them`);
  }
  return items;
}

function readGeneration(item: JsonObject, where: string): Generation {
  const pem = textIn(item, 'certificate', where);
  const key = textIn(item, 'key', where);
  const certificate = readCertificate(pem);
  if (certificate === undefined) throw foreign(where, 'a certificate in it cannot be read');
  if (!isAuthority(pem, key)) {
    throw foreign(where, 'a certificate in it is no authority with its key');
  }
  return { certificate, key, token: tokenOf(item, where), settled: item['settled'] === true };
}

function tokenOf(item: JsonObject, where: string): string {
  const token = textIn(item, 'token', where);
  if (!isCallerToken(token)) throw foreign(where, 'a token in it is none');
  return token;
}

function textIn(item: JsonObject, field: string, where: string): string {
  const text = textOf(item, field);
  if (text === undefined) throw foreign(where, `a ${field} is missing in it`);
  return text;
}

function untilOf(item: JsonObject, where: string): number {
  const untilMs = Date.parse(textIn(item, 'until', where));
  if (Number.isNaN(untilMs)) throw foreign(where, 'a time in it is none');
  return untilMs;
}

function isAuthority(pem: string, key: string): boolean {
  try {
    const certificate = new X509Certificate(pem);
    return certificate.ca && certificate.checkPrivateKey(createPrivateKey(key));
  } catch {
    // Of a key that cannot be read nothing may be shown.
    return false;
  }
}

/** The `data` of a Secret that holds this state. */
export function writeState({
  generations,
  leaving,
  formerTokens,
}: State): Readonly<Record<string, string>> {
  const value = {
    version: VERSION,
    generations: generations.map(({ certificate, key, token, settled }) => ({
      certificate: certificate.pem,
      key,
      token,
      settled,
    })),
    leaving: leaving.map(({ fingerprint, untilMs }) => ({
      fingerprint,
      until: new Date(untilMs).toISOString(),
    })),
    formerTokens: formerTokens.map(({ token, untilMs }) => ({
      token,
      until: new Date(untilMs).toISOString(),
    })),
  };
  return { [DATA_KEY]: Buffer.from(JSON.stringify(value)).toString('base64') };
}

function foreign(where: string, why: string): PinError {
  const message =
    `Cannot use the Secret ${JSON.stringify(where)}: ${why}; tagpin changes nothing in it. ` +
    'Delete it to have tagpin begin anew, or name another (--certificate-secret)';
  return new PinError('invalid_config', message);
}
