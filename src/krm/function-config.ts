import { PinError } from '../errors.ts';
import type { ReferenceForm } from '../image/reference.ts';
import { isJsonObject, type JsonObject, objectIn, textOf } from '../json.ts';

/** What a function is asked to do. */
export interface FunctionConfig {
  readonly mode: 'pin' | 'check';
  readonly referenceForm: ReferenceForm;
  /** Keep the tag in a comment behind the image. */
  readonly comment: boolean;
  /** Resolve anew what carries a digest. */
  readonly update: boolean;
  /** Globs of normalised names that are left alone; undefined for those of the command line. */
  readonly skip: readonly string[] | undefined;
  /** As `--extra-kind` has them. */
  readonly extraKinds: readonly string[];
  /** A lock that is read, and not written. */
  readonly lock: string | undefined;
  /** `NAME[:TAG]@DIGEST`; with any of them no registry is asked. */
  readonly digests: readonly string[];
}

/** The kind of our own, beside a ConfigMap. */
const OWN = { apiVersion: 'tagpin.dev/v1alpha1', kind: 'Pin' };

type Reader = (value: unknown, key: string) => unknown;

const READERS = {
  mode: oneOf(['pin', 'check']),
  referenceForm: oneOf(['digest', 'tag-and-digest']),
  comment: truth,
  update: truth,
  skip: texts,
  extraKinds: texts,
  lock: text,
  digests: texts,
} satisfies Readonly<Record<keyof FunctionConfig, Reader>>;

const READER_OF: ReadonlyMap<string, Reader> = new Map(Object.entries(READERS));

const DEFAULTS: FunctionConfig = {
  mode: 'pin',
  referenceForm: 'digest',
  comment: false,
  update: false,
  skip: undefined,
  extraKinds: [],
  lock: undefined,
  digests: [],
};

/**
 * Reads the `functionConfig` of a ResourceList: `spec` of a Pin, or `data` of a ConfigMap, whose
 * values are texts: several items stand on lines of their own, or with commas between them.
 *
 * @throws PinError `invalid_config` for another kind, an unknown key, or a value that does not fit
 */
export function readFunctionConfig(value: unknown): FunctionConfig {
  if (value === undefined || value === null) return DEFAULTS;
  const fields = Object.entries(fieldsOf(value)).map(([key, item]) => {
    const reader = READER_OF.get(key);
    if (reader === undefined) {
      const known = Object.keys(READERS).join(', ');
      throw refusal(`${JSON.stringify(key)} is none of ${known}`);
    }
    return [key, reader(item, key)];
  });
  return { ...DEFAULTS, ...Object.fromEntries(fields) };
}

function fieldsOf(config: unknown): JsonObject {
  const kind = isJsonObject(config) ? textOf(config, 'kind') : undefined;
  const apiVersion = isJsonObject(config) ? textOf(config, 'apiVersion') : undefined;
  if (kind === 'ConfigMap' && apiVersion === 'v1') return objectIn(config, 'data') ?? {};
  if (kind === OWN.kind && apiVersion === OWN.apiVersion) return objectIn(config, 'spec') ?? {};
  const got = JSON.stringify(`${apiVersion ?? ''} ${kind ?? ''}`.trim());
  throw refusal(`expected a ConfigMap, or a ${OWN.kind} of ${OWN.apiVersion}, got ${got}`);
}

function oneOf(choices: readonly string[]): Reader {
  return (value, key) => {
    if (typeof value === 'string' && choices.includes(value)) return value;
    throw unfit(key, `one of ${choices.join(', ')}`, value);
  };
}

function truth(value: unknown, key: string): boolean {
  if (value === true || value === 'true') return true;
  if (value === false || value === 'false') return false;
  throw unfit(key, 'true or false', value);
}

function text(value: unknown, key: string): string {
  if (typeof value === 'string' && value !== '') return value;
  throw unfit(key, 'a text', value);
}

function texts(value: unknown, key: string): readonly string[] {
  const items: unknown = typeof value === 'string' ? value.split(/[\n,]/) : value;
  if (!Array.isArray(items)) throw unfit(key, 'a list of texts', value);
  return items
    .map((item: unknown) => {
      if (typeof item !== 'string') throw unfit(key, 'a list of texts', item);
      return item.trim();
    })
    .filter((item) => item !== '');
}

function unfit(key: string, expected: string, value: unknown): PinError {
  return refusal(`${key}: expected ${expected}, got ${JSON.stringify(value).slice(0, 200)}`);
}

function refusal(fault: string): PinError {
  return new PinError('invalid_config', `Cannot read the functionConfig: ${fault}`);
}
