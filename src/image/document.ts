import { PinError } from '../errors.ts';
import { isJsonObject, type JsonObject } from '../json.ts';

/** Each takes some 100 bytes. The largest indexes have some thousand of them. */
const MAX_VALUES = 100_000;

const QUOTE = 0x22;
const COMMA = 0x2c;
const OPEN_LIST = 0x5b;
const BACKSLASH = 0x5c;
const OPEN_OBJECT = 0x7b;

/**
 * Reads a document that a registry has.
 *
 * @param what as messages name it: `the index`
 * @throws PinError `invalid_response` when it is no JSON object, `unsupported_manifest` when it has
 * more than 100,000 values: 4 MiB of `{},{},…` take some 250 MB
 */
export function readDocument(bytes: Uint8Array, what: string): Fields {
  if (!hasFewValues(bytes)) {
    throw new PinError('unsupported_manifest', `Cannot read ${what}: it has too many values`);
  }
  let document: unknown;
  try {
    const decoder = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });
    document = JSON.parse(decoder.decode(bytes));
  } catch {
    throw new PinError('invalid_response', `Cannot read ${what}: it is not JSON`);
  }
  if (!isJsonObject(document)) {
    throw new PinError('invalid_response', `Cannot read ${what}: it is no JSON object`);
  }
  return new Fields(document, what);
}

/** What has no end of a text is no JSON, and takes no memory. */
function hasFewValues(bytes: Uint8Array): boolean {
  let values = 0;
  let isText = false;
  for (let at = 0; at < bytes.length; at += 1) {
    const byte = bytes[at];
    if (byte === QUOTE) isText = !isText;
    else if (isText) at += byte === BACKSLASH ? 1 : 0;
    else if (byte === COMMA || byte === OPEN_LIST || byte === OPEN_OBJECT) values += 1;
    if (values > MAX_VALUES) return false;
  }
  return true;
}

/**
 * The fields of one object of a document, each of the type that it must have. One that is missing or
 * null is undefined or empty, as in Go, with which nodes read them. Throws PinError
 * `unsupported_manifest` where one has another type.
 */
export class Fields {
  readonly #object: JsonObject;
  readonly #where: string;

  /** @param where as messages name the object */
  constructor(object: JsonObject, where: string) {
    this.#object = object;
    this.#where = where;
  }

  text(name: string): string | undefined {
    const value = this.#value(name);
    if (value === undefined || typeof value === 'string') return value;
    throw this.wrong(name, 'no text');
  }

  /** An integer that is not negative. */
  count(name: string): number | undefined {
    const value = this.#value(name);
    if (value === undefined) return undefined;
    if (typeof value === 'number' && Number.isSafeInteger(value) && value >= 0) return value;
    throw this.wrong(name, 'no count');
  }

  /** False where it is missing. */
  isTrue(name: string): boolean {
    const value = this.#value(name);
    if (value === undefined || typeof value === 'boolean') return value === true;
    throw this.wrong(name, 'neither true nor false');
  }

  object(name: string): Fields | undefined {
    const value = this.#value(name);
    if (value === undefined) return undefined;
    if (isJsonObject(value)) return new Fields(value, `${this.#where}, ${name}`);
    throw this.wrong(name, 'no object');
  }

  /** An empty one where it is missing. */
  section(name: string): Fields {
    return this.object(name) ?? new Fields({}, this.#where);
  }

  objects(name: string): Fields[] {
    return this.#list(name).map((item, index) => {
      if (isJsonObject(item)) return new Fields(item, `${this.#where}, ${name}[${index}]`);
      throw this.wrong(`${name}[${index}]`, 'no object');
    });
  }

  texts(name: string): string[] {
    return this.#list(name).map((item, index) => {
      if (typeof item === 'string') return item;
      throw this.wrong(`${name}[${index}]`, 'no text');
    });
  }

  /** Texts by name, in their order. */
  textMap(name: string): ReadonlyMap<string, string> {
    const entries = Object.entries(this.section(name).#object);
    return new Map(
      entries.map(([key, value]) => {
        if (typeof value === 'string') return [key, value];
        throw this.wrong(name, 'not of texts alone');
      }),
    );
  }

  /** The names in an object that stands for a set. */
  keys(name: string): string[] {
    return Object.keys(this.section(name).#object);
  }

  /** The error that a field is not what it must be. */
  wrong(name: string, what: string): PinError {
    const message = `Cannot read ${this.#where}: its ${name} is ${what}`;
    return new PinError('unsupported_manifest', message);
  }

  #list(name: string): readonly unknown[] {
    const value = this.#value(name);
    if (value === undefined) return [];
    if (Array.isArray(value)) return value;
    throw this.wrong(name, 'no list');
  }

  #value(name: string): unknown {
    return Object.hasOwn(this.#object, name) ? (this.#object[name] ?? undefined) : undefined;
  }
}
