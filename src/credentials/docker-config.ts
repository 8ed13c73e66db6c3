import { PinError } from '../errors.ts';
import { isJsonObject, type JsonObject, parseJson } from '../json.ts';
import type { Credential } from './credential.ts';
import { parseLocation } from './location.ts';

/** Credentials and the images they are for. */
export interface RegistryEntry {
  /** Host, port and path: no scheme, and no `/v1/` or `/v2/` of a registry's own address. */
  readonly key: string;
  readonly credential: Credential;
}

/**
 * The entries of a docker `config.json`, which is what `.dockerconfigjson` of a Secret holds. Read
 * as kubelet does (kubernetes/kubernetes pkg/credentialprovider/config.go): helpers, stores and
 * identity tokens are not used, and one malformed entry spoils the whole.
 *
 * @param origin what is read, for the message: `pull secret "regcred"`
 * @throws PinError `invalid_secret`, without any of the content
 */
export function parseDockerConfigJson(text: string, origin: string): RegistryEntry[] {
  const config = parseObject(text, origin);
  for (const headers of fieldValues(config, 'HttpHeaders')) {
    for (const value of Object.values(objectOf(headers, origin))) stringOf(value, origin);
  }
  return authsOf(config, origin, toCredential);
}

/** The entries under `auths`, each read by `read`; throws PinError `invalid_secret`. */
export function authsOf(config: JsonObject, origin: string, read: ReadEntry): RegistryEntry[] {
  const credentials = new Map<string, Credential>();
  for (const auths of fieldValues(config, 'auths')) {
    // To Go, a null is an empty map in place of what came before.
    if (auths === null) credentials.clear();
    for (const [registry, entry] of Object.entries(objectOf(auths, origin))) {
      credentials.set(registry, read(objectOf(entry, origin), origin));
    }
  }
  return toEntries(credentials);
}

/**
 * The entries of the older `.dockercfg`: the same without the `auths` around it.
 *
 * @param origin what is read, for the message: `pull secret "regcred"`
 * @throws PinError `invalid_secret`, without any of the content
 */
export function parseDockercfg(text: string, origin: string): RegistryEntry[] {
  const credentials = Object.entries(parseObject(text, origin)).map(
    ([registry, entry]) => [registry, toCredential(objectOf(entry, origin), origin)] as const,
  );
  return toEntries(new Map(credentials));
}

/** How many entries there are under `auths`, at most, without reading them; 0 where it is malformed. */
export function countDockerConfigJson(text: string): number {
  const config = parseJson(text);
  if (!isJsonObject(config)) return 0;
  return fieldValues(config, 'auths').reduce<number>((sum, auths) => sum + sizeOf(auths), 0);
}

/** The same of a `.dockercfg`. */
export function countDockercfg(text: string): number {
  return sizeOf(parseJson(text));
}

function sizeOf(value: unknown): number {
  return isJsonObject(value) ? Object.keys(value).length : 0;
}

type ReadEntry = (entry: JsonObject, origin: string) => Credential;

/** Throws PinError `invalid_secret`, without any of the content. */
export function parseObject(text: string, origin: string): JsonObject {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    // Without its cause: the parser's message quotes the text.
    throw invalid(origin, 'it is not JSON');
  }
  return objectOf(value, origin);
}

/** What kubelet takes from an entry; throws PinError `invalid_secret`. */
export function toCredential(entry: JsonObject, origin: string): Credential {
  const username = lastString(entry, 'username', origin);
  const password = lastString(entry, 'password', origin);
  lastString(entry, 'email', origin);
  const auth = lastString(entry, 'auth', origin);
  return auth === '' ? { username, password } : decodeAuth(auth, origin);
}

function decodeAuth(auth: string, origin: string): Credential {
  const decoded = decodeBase64(auth)?.toString('utf8');
  if (decoded === undefined) throw invalid(origin, 'an "auth" is not base64');
  const colon = decoded.indexOf(':');
  if (colon === -1) throw invalid(origin, 'an "auth" is not of the form user:password');
  return { username: decoded.slice(0, colon), password: decoded.slice(colon + 1) };
}

/**
 * Base64 as kubelet reads it: padded when it ends in `=`, else unpadded; line ends do not count.
 * Undefined where it is malformed, which `Buffer.from` alone does not notice.
 */
export function decodeBase64(text: string): Buffer | undefined {
  const digits = text.replace(/[\r\n]/g, '');
  const isValid = digits.endsWith('=')
    ? digits.length % 4 === 0 && /^[A-Za-z0-9+/]+={1,2}$/.test(digits)
    : digits.length % 4 !== 1 && /^[A-Za-z0-9+/]*$/.test(digits);
  return isValid ? Buffer.from(digits, 'base64') : undefined;
}

/**
 * Credentials by registry, as it is written, to entries. One whose registry is no location is passed
 * over: keyring.go logs it and goes on.
 */
export function toEntries(credentials: ReadonlyMap<string, Credential>): RegistryEntry[] {
  return [...credentials].flatMap(([registry, credential]) => {
    const key = normalizeKey(registry);
    return key === undefined ? [] : [{ key, credential }];
  });
}

/** `https://index.docker.io/v1/`, which docker itself writes, is `index.docker.io`. */
function normalizeKey(registry: string): string | undefined {
  const location = parseLocation(registry.replace(/^https?:\/\//, ''));
  if (location === undefined) return undefined;
  const path = location.path.replace(/^\/v[12]\//, '/');
  return path === '/' ? location.host : location.host + path;
}

/**
 * The values of a field in their order. Go knows a field in any case, and lets each occurrence
 * change what the last one left; an exact repetition is lost here, as `JSON.parse` keeps one.
 */
export function fieldValues(parent: JsonObject, field: string): unknown[] {
  const name = new RegExp(`^${field}$`, 'iu');
  return Object.entries(parent)
    .filter(([key]) => name.test(key))
    .map(([, value]) => value);
}

/** The text in a field, in any case; empty where there is none. Throws PinError `invalid_secret`. */
export function lastString(parent: JsonObject, field: string, origin: string): string {
  const values = fieldValues(parent, field).filter((value) => value !== null);
  return values.map((value) => stringOf(value, origin)).at(-1) ?? '';
}

/** A null is the zero value to Go: here no fields. Throws PinError `invalid_secret`. */
export function objectOf(value: unknown, origin: string): JsonObject {
  if (value === null) return {};
  if (!isJsonObject(value)) throw invalid(origin, 'a list or a plain value stands for an object');
  return value;
}

function stringOf(value: unknown, origin: string): string {
  if (value === null) return '';
  if (typeof value !== 'string') throw invalid(origin, 'a field is no text');
  return value.toWellFormed();
}

function invalid(origin: string, reason: string): PinError {
  return new PinError('invalid_secret', `Cannot read ${origin}: ${reason}`);
}
