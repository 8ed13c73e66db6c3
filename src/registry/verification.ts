import { LRUCache } from 'lru-cache';

import { PinError } from '../errors.ts';
import { algorithmOf, computeDigest, type Digest } from '../image/digest.ts';
import { type ImageReference, normalizedName } from '../image/reference.ts';
import { endpointKey } from './endpoint-key.ts';
import {
  type ManifestQuestion,
  type RequestParts,
  sendManifestRequest,
} from './manifest-request.ts';
import { refusalOf } from './refusal.ts';

/**
 * Sees that a registry serves a manifest by its digest, as a node will ask for it. Pull-through
 * caches were found to know a tag and not its digest (aws/containers-roadmap#2837).
 */
export interface Verification {
  /** Whether the operator wants it for an image. */
  readonly covers: (reference: ImageReference) => boolean;
  /**
   * Asks once for each digest at an endpoint, and remembers the good answer. Throws PinError:
   * `digest_not_served`, or what else kept the registry from answering.
   */
  readonly verify: (question: ManifestQuestion, digest: Digest) => Promise<void>;
}

/** Digests are a tenant's choice; a key has some 1,000 characters at most. */
const MAX_VERIFIED = 10_000;

/**
 * @param prefixes `HOST`, or `HOST/PATH` up to the end of a component, of normalised names
 */
export function createVerification(parts: RequestParts, prefixes: readonly string[]): Verification {
  const verified = new LRUCache<string, true>({ max: MAX_VERIFIED });
  const starts = prefixes.map((prefix) => `${prefix.replace(/\/+$/, '')}/`);
  return {
    covers: (reference) => {
      const name = `${normalizedName(reference)}/`;
      return starts.some((start) => name.startsWith(start));
    },
    verify: async (question, digest) => {
      const { endpoint, repository } = question;
      const key = `${endpointKey(endpoint)} ${repository}@${digest}`;
      if (verified.has(key)) return;
      await requireServed(parts, { ...question, name: digest }, digest);
      verified.set(key, true);
    },
  };
}

async function requireServed(
  parts: RequestParts,
  question: ManifestQuestion,
  digest: Digest,
): Promise<void> {
  const { endpoint, credential } = question;
  const response = await sendManifestRequest(parts, question, 'GET');
  const { status, body } = response;
  if (status === 200 && computeDigest(body, algorithmOf(digest)) === digest) return;
  if (status !== 200 && status !== 404)
    throw refusalOf(endpoint, response, credential !== undefined);
  const said = status === 404 ? 'does not serve it by that digest' : 'serves other bytes by it';
  const message = `${endpoint.registry} has the tag as ${digest}, and ${said}`;
  throw new PinError('digest_not_served', message, { host: endpoint.registry });
}
