import { LRUCache } from 'lru-cache';

import { computeDigest, type Digest, isDigest } from '../image/digest.ts';
import { recogniseManifest } from '../image/manifest.ts';
import type { RegistryResponse } from './exchange.ts';
import { projectOf } from './hosts.ts';
import {
  type ManifestQuestion,
  type RequestParts,
  sendManifestRequest,
} from './manifest-request.ts';
import { refusalOf } from './refusal.ts';

/** What is served under a tag. */
export interface TagDigest {
  readonly digest: Digest;
  readonly mediaType: string | undefined;
  /** Whether the registry told the digest, or its bytes were hashed. */
  readonly source: 'header' | 'body';
  /**
   * The registry knows the manifest by a digest that no reference can carry: whether it knows ours
   * as well must be seen.
   */
  readonly isForeign: boolean;
}

/** Finds the digest of a tag; Throws PinError. */
export interface TagDigests {
  /** By HEAD, which Docker Hub does not count as a pull; by GET where that tells no digest. */
  readonly ask: (question: ManifestQuestion) => Promise<TagDigest>;
  /** By GET, which makes a pull-through cache fetch the image. */
  readonly fetch: (question: ManifestQuestion) => Promise<TagDigest>;
}

export interface TagDigestParts extends RequestParts {
  /** Told when a registry's header names another digest than its bytes have. */
  readonly observeMismatch: (host: string) => void;
  /** Ask again by GET where a HEAD was refused: its answer may name the reason, which a HEAD cannot. */
  readonly asksReasons?: boolean;
  /** The clock of `performance.now()`, in milliseconds. */
  readonly now: () => number;
}

/**
 * What is told of a tag is remembered, and a header may have 16 KiB. The longest digest has 135
 * characters, a media type 255 (RFC 6838 section 4.2).
 */
const MAX_TOLD_CHARS = 255;
/** The grammar of the OCI image specification, descriptor.md "Digests". */
const ANY_DIGEST = /^[a-z0-9]+(?:[+._-][a-z0-9]+)*:[a-zA-Z0-9=_-]+$/;
const KNOWN_ALGORITHM = /^sha(?:256|512):/;
/** Registries are a tenant's choice. */
const MAX_HEADLESS = 1000;
/** A registry that is replaced by a better one is found out. */
const HEADLESS_TTL_MS = 3_600_000;
const KNOWS_NO_HEAD: ReadonlySet<number> = new Set([405, 501]);
/** A 401 says all by itself, and a 429 is not to be asked again. */
const HAS_REASONS: ReadonlySet<number> = new Set([400, 403, 404]);

export function createTagDigests(parts: TagDigestParts): TagDigests {
  /** Projects of origins that do not know HEAD: a pull-through cache may pass its upstream's 405 on. */
  const headless = new LRUCache<string, true>({
    max: MAX_HEADLESS,
    ttl: HEADLESS_TTL_MS,
    ttlResolution: 0,
    perf: { now: parts.now },
  });
  const fetch = (question: ManifestQuestion): Promise<TagDigest> => hashBody(parts, question);
  return {
    fetch,
    ask: async (question) => {
      const { endpoint, credential } = question;
      const asked = `${endpoint.origin} ${projectOf(endpoint)}`;
      if (headless.has(asked)) return fetch(question);
      const head = await sendManifestRequest(parts, question, 'HEAD');
      if (head.status === 200) return readHead(head) ?? fetch(question);
      if (!KNOWS_NO_HEAD.has(head.status)) {
        if (parts.asksReasons === true && HAS_REASONS.has(head.status)) return fetch(question);
        throw refusalOf(endpoint, head, credential !== undefined);
      }
      // Another host, to which it redirects this tag, speaks for this tag alone.
      if (head.url.origin === endpoint.origin) headless.set(asked, true);
      return fetch(question);
    },
  };
}

function readHead(head: RegistryResponse): TagDigest | undefined {
  const digest = toldDigest(head);
  const mediaType = toldMediaType(head);
  if (digest === undefined || !isDigest(digest) || isSchema1(mediaType)) return undefined;
  return { digest, mediaType, source: 'header', isForeign: false };
}

async function hashBody(parts: TagDigestParts, question: ManifestQuestion): Promise<TagDigest> {
  const { endpoint, credential } = question;
  const response = await sendManifestRequest(parts, question, 'GET');
  if (response.status !== 200) throw refusalOf(endpoint, response, credential !== undefined);
  const [contentType] = response.header('content-type');
  const mediaType = recogniseManifest(contentType, response.body);
  const { digest, isForeign, isMismatch } = digestOfBody(response);
  if (isMismatch) parts.observeMismatch(endpoint.registry);
  return { digest, mediaType, source: 'body', isForeign };
}

/** The digest of what was served, by the algorithm that the header names where that agrees. */
export function digestOfBody(
  response: RegistryResponse,
): Pick<TagDigest, 'digest' | 'isForeign'> & { readonly isMismatch: boolean } {
  const told = toldDigest(response);
  const isForeign = told !== undefined && !KNOWN_ALGORITHM.test(told);
  const digest = computeDigest(response.body, told?.startsWith('sha512:') ? 'sha512' : 'sha256');
  // The node verifies what it pulls by its bytes: a header that disagrees is only a nuisance.
  const isMismatch = told !== undefined && !isForeign && told !== digest;
  return { digest: isMismatch ? computeDigest(response.body) : digest, isForeign, isMismatch };
}

/** `Docker-Content-Digest`, if it is there once and well formed. */
function toldDigest(response: RegistryResponse): string | undefined {
  const values = response.header('docker-content-digest');
  const [value = ''] = values;
  if (values.length !== 1 || value.length > MAX_TOLD_CHARS) return undefined;
  const text = value.trim();
  // Of our own algorithms only what is whole.
  return isDigest(text) || (ANY_DIGEST.test(text) && !KNOWN_ALGORITHM.test(text))
    ? text
    : undefined;
}

function toldMediaType(response: RegistryResponse): string | undefined {
  const [value = ''] = response.header('content-type');
  return value === '' || value.length > MAX_TOLD_CHARS ? undefined : value;
}

/** A schema 1 manifest has no digest that a node could pull by; GET finds out and says so. */
function isSchema1(mediaType: string | undefined): boolean {
  return mediaType?.startsWith('application/vnd.docker.distribution.manifest.v1') === true;
}
