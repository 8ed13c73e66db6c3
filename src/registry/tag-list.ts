import { PinError } from '../errors.ts';
import { type Digest, isDigest } from '../image/digest.ts';
import { isMediaType } from '../image/manifest.ts';
import { isTag } from '../image/reference.ts';
import { isJsonObject, type JsonObject, listOf, parseJson, textOf } from '../json.ts';
import type { RegistryResponse } from './exchange.ts';

/** One page of a registry's tags, and where the next one is. */
export interface TagList {
  readonly tags: readonly string[];
  /** What Google's registries tell beside the tags. */
  readonly manifests: ReadonlyMap<Digest, ListedManifest> | undefined;
  /** The query of the next page; undefined on the last. */
  readonly next: URLSearchParams | undefined;
}

/** What a list of tags tells of a manifest. */
interface ListedManifest {
  readonly tags: readonly string[];
  readonly mediaType: string | undefined;
  readonly sizeBytes: number | undefined;
  /** Milliseconds since 1970. */
  readonly createdAtMs: number | undefined;
  readonly uploadedAtMs: number | undefined;
}

/** RFC 8288 section 3: a target, and parameters of which only the relation matters here. */
const LINK = /<([^<>]*)>((?:\s*;\s*[^\s;,="]+(?:\s*=\s*(?:"(?:[^"\\]|\\.)*"|[^\s;,"]*))?)*)/g;
const IS_NEXT = /;\s*rel\s*=\s*(?:"(?:[^"]*\s)?next(?:\s[^"]*)?"|next(?=\s*(?:;|$)))/i;
const MAX_QUERY_CHARS = 4096;

/**
 * Reads an answer of `tags/list`. Tags and digests that are none are left out. Throws PinError
 * `invalid_response` where it is no list, or the next page is elsewhere.
 */
export function readTagList(response: RegistryResponse): TagList {
  const { host, hostname } = response.url;
  const answer = parseJson(response.body.toString('utf8'));
  if (!isJsonObject(answer)) {
    const message = `${host} answered 200 to a question for tags, and no list of them`;
    throw new PinError('invalid_response', message, { host: hostname });
  }
  return {
    tags: tagsIn(answer, 'tags'),
    manifests: manifestsIn(answer),
    next: nextPage(response),
  };
}

function tagsIn(parent: JsonObject, field: string): readonly string[] {
  return listOf(parent, field).filter(
    (tag): tag is string => typeof tag === 'string' && isTag(tag),
  );
}

function manifestsIn(answer: JsonObject): ReadonlyMap<Digest, ListedManifest> | undefined {
  const map = answer['manifest'];
  if (!isJsonObject(map)) return undefined;
  const manifests = new Map<Digest, ListedManifest>();
  for (const [digest, told] of Object.entries(map)) {
    if (isDigest(digest) && isJsonObject(told)) manifests.set(digest, manifestOf(told));
  }
  return manifests;
}

function manifestOf(told: JsonObject): ListedManifest {
  const mediaType = textOf(told, 'mediaType') ?? '';
  return {
    tags: tagsIn(told, 'tag'),
    mediaType: isMediaType(mediaType) ? mediaType : undefined,
    sizeBytes: numberIn(told, 'imageSizeBytes'),
    createdAtMs: numberIn(told, 'timeCreatedMs'),
    uploadedAtMs: numberIn(told, 'timeUploadedMs'),
  };
}

/** Google writes numbers as texts. A time before 1970 is that of Go's zero value: none. */
function numberIn(told: JsonObject, field: string): number | undefined {
  const value = told[field];
  const text = typeof value === 'number' ? String(value) : value;
  return typeof text === 'string' && /^\d{1,15}$/.test(text) ? Number(text) : undefined;
}

/**
 * Where `Link` leads on to (distribution specification, "Listing Tags"). Nothing but its query is
 * used, so that no link can send a credential to another path; a link to another host is refused.
 */
function nextPage(response: RegistryResponse): URLSearchParams | undefined {
  const target = nextTarget(response.header('link'));
  if (target === undefined) return undefined;
  const { url } = response;
  const next = URL.parse(target, url.href);
  // A registry behind a proxy may not know that it is asked over TLS.
  if (next?.host !== url.host || !next.pathname.endsWith('/tags/list')) {
    throw pageElsewhere(url, 'names a next page of tags that is not its own');
  }
  if (next.search.length > MAX_QUERY_CHARS) {
    throw pageElsewhere(
      url,
      `names a next page of tags in more than ${MAX_QUERY_CHARS} characters`,
    );
  }
  return next.searchParams;
}

function nextTarget(values: readonly string[]): string | undefined {
  const links = values.flatMap((value) => [...value.matchAll(LINK)]);
  return links.find(([, , parameters = '']) => IS_NEXT.test(parameters))?.[1];
}

function pageElsewhere({ host, hostname }: URL, what: string): PinError {
  return new PinError('invalid_response', `${host} ${what}`, { host: hostname });
}
