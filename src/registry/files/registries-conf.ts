import { PinError } from '../../errors.ts';
import { readReference } from '../../image/read-reference.ts';
import { type ImageReference, normalizedName } from '../../image/reference.ts';
import type { JsonObject } from '../../json.ts';
import { flagIn, invalid, listIn, parseToml, tableFrom, textIn } from './toml.ts';

/** A `[[registry]]` of a `registries.conf` or one of its mirrors: where a prefix really lies. */
interface Location {
  /** Host and path that stand for the prefix; empty where a wildcard leaves names as they are. */
  readonly location: string;
  /** Plain http, and certificates of whatever kind. */
  readonly insecure: boolean;
}

/** One `[[registry]]`, with those of its mirrors that tags may be asked of. */
export interface RegistryRule extends Location {
  /** Host, host and path, or `*.` with a domain. */
  readonly prefix: string;
  readonly blocked: boolean;
  readonly mirrors: readonly Location[];
  /** Where it was read, for messages. */
  readonly file: string;
}

/** A name that an image has at one place. */
export interface RuledPlace {
  readonly reference: ImageReference;
  readonly insecure: boolean;
  /** False where the port is the image's own: a tenant may have chosen it. */
  readonly isNamed: boolean;
}

const PULLS: ReadonlySet<string | undefined> = new Set([
  undefined,
  '',
  'all',
  'digest-only',
  'tag-only',
]);

/**
 * Reads one file (containers/image, docs/containers-registries.conf.5.md and
 * pkg/sysregistriesv2). What is about short names is left alone. Throws `invalid_config`.
 */
export function parseRegistriesConf(text: string, file: string): readonly RegistryRule[] {
  const root = parseToml(text);
  if (root['registries'] !== undefined) {
    throw invalid(
      '[registries.search], [registries.insecure] and [registries.block] are version 1, which is not read',
    );
  }
  const rules = listIn(root, 'registry').map((value) => ruleOf(tableFrom(value, 'registry'), file));
  for (const rule of rules) refuseContradiction(rule, rules);
  return rules;
}

function ruleOf(table: JsonObject, file: string): RegistryRule {
  const location = locationIn(table, 'location');
  const prefix = locationIn(table, 'prefix') || location;
  const isWildcard = prefix.startsWith('*.');
  if (prefix === '') throw invalid('a registry has neither prefix nor location');
  if (location === '' && !isWildcard) throw invalid(`${quote(prefix)} has no location`);
  if (isWildcard && /[/@:]/.test(prefix)) {
    throw invalid(`${quote(prefix)} has more than a domain behind its *`);
  }
  if (textIn(table, 'pull-from-mirror')) {
    throw invalid(`${quote(prefix)} has "pull-from-mirror", which is for mirrors`);
  }
  const byDigestOnly = flagIn(table, 'mirror-by-digest-only') ?? false;
  const mirrors = listIn(table, 'mirror').map((value) => tableFrom(value, 'mirror'));
  return {
    prefix,
    location,
    insecure: flagIn(table, 'insecure') ?? false,
    blocked: flagIn(table, 'blocked') ?? false,
    mirrors: mirrors.flatMap((mirror) => mirrorOf(mirror, byDigestOnly)),
    file,
  };
}

/** None where the mirror is for digests only. */
function mirrorOf(table: JsonObject, byDigestOnly: boolean): readonly Location[] {
  const location = locationIn(table, 'location');
  const pull = textIn(table, 'pull-from-mirror');
  if (location === '') throw invalid('a mirror has no location');
  if (!PULLS.has(pull)) throw invalid(`${quote(location)} has an unknown "pull-from-mirror"`);
  if (byDigestOnly && pull) {
    throw invalid(`${quote(location)} has "pull-from-mirror" below "mirror-by-digest-only"`);
  }
  const insecure = flagIn(table, 'insecure') ?? false;
  return byDigestOnly || pull === 'digest-only' ? [] : [{ location, insecure }];
}

/** Hosts are compared in lower case, and a path has no capitals. */
function locationIn(table: JsonObject, field: string): string {
  const text = (textIn(table, field) ?? '').replace(/\/+$/, '').toLowerCase();
  if (/^https?:\/\//.test(text)) throw invalid(`"${field}" begins with a scheme`);
  return text;
}

function refuseContradiction(rule: RegistryRule, rules: readonly RegistryRule[]): void {
  const key = (one: RegistryRule): string => one.location || one.prefix;
  const other = rules.find(
    (one) =>
      key(one) === key(rule) && (one.insecure !== rule.insecure || one.blocked !== rule.blocked),
  );
  if (other === undefined) return;
  throw invalid(`${quote(key(rule))} is defined twice, with different "insecure" or "blocked"`);
}

/** The rules of several files: the first of one prefix counts in a file, the last file over all. */
export function mergeRules(files: readonly (readonly RegistryRule[])[]): readonly RegistryRule[] {
  const byPrefix = new Map<string, RegistryRule>();
  for (const rules of files) {
    for (const rule of rules.toReversed()) byPrefix.set(rule.prefix, rule);
  }
  return [...byPrefix.values()].toSorted((a, b) => (a.prefix < b.prefix ? -1 : 1));
}

/** The rule with the longest prefix that fits. */
export function ruleFor(
  rules: readonly RegistryRule[],
  reference: ImageReference,
): RegistryRule | undefined {
  const name = nameOf(reference);
  let best: RegistryRule | undefined;
  for (const rule of rules) {
    const fits = matchedChars(name, rule.prefix) !== undefined;
    if (fits && rule.prefix.length > (best?.prefix.length ?? 0)) best = rule;
  }
  return best;
}

/** Where a tag is asked for: mirrors in their order, the registry last. Throws `invalid_config`. */
export function placesOf(rule: RegistryRule, reference: ImageReference): readonly RuledPlace[] {
  return [...rule.mirrors, rule].map((place) => rewrite(place, rule, reference));
}

function rewrite(
  { location, insecure }: Location,
  { prefix, file }: RegistryRule,
  reference: ImageReference,
): RuledPlace {
  const name = nameOf(reference);
  const text = location === '' ? name : location + name.slice(matchedChars(name, prefix));
  const rewritten = parseName(text);
  if (rewritten === undefined) {
    throw new PinError('invalid_config', `${file} makes ${quote(text)} of ${quote(name)}`);
  }
  const { registry, repository } = rewritten;
  const isNamed = registry === location.split('/')[0] || !/:\d+$/.test(registry);
  return { reference: { ...reference, registry, repository }, insecure, isNamed };
}

/** Undefined where a name is malformed, or would have to be completed. */
function parseName(text: string): ImageReference | undefined {
  const reference = readReference(text);
  return reference && normalizedName(reference) === text ? reference : undefined;
}

function nameOf({ registry, repository }: ImageReference): string {
  return `${registry.toLowerCase()}/${repository}`;
}

/**
 * How much of a name a prefix takes. Unlike containers/image, whose own tests call it unintended,
 * a host without a port does not fit a host with one: a tenant would choose the port.
 */
function matchedChars(name: string, prefix: string): number | undefined {
  if (prefix.startsWith('*.')) {
    const host = (name.split('/')[0] ?? '').replace(/:\d+$/, '');
    return host.endsWith(prefix.slice(1)) ? host.length : undefined;
  }
  const fits = name === prefix || name.startsWith(`${prefix}/`);
  return fits ? prefix.length : undefined;
}

function quote(text: string): string {
  return JSON.stringify(text);
}
