import type { Access } from '../credentials/credential.ts';
import { type ImageReference, normalizedTag } from '../image/reference.ts';
import { firstAccepted } from './first-accepted.ts';
import type { Endpoint } from './hosts.ts';
import { createKnock } from './knock.ts';
import type { ManifestQuestion } from './manifest-request.ts';
import { type ObserveTry, referenceAt } from './offers.ts';
import {
  createTagDigests,
  type TagDigest,
  type TagDigestParts,
  type TagDigests,
} from './tag-digest.ts';
import { createVerification, type Verification } from './verification.ts';

/** What a registry said of a tag. */
export interface Lookup extends Pick<TagDigest, 'digest' | 'mediaType'> {
  /** `shared`: another replica asked, and told. */
  readonly source: TagDigest['source'] | 'shared';
  /** The registry, as the reference names it. */
  readonly host: string;
  /** How many credentials were tried. */
  readonly attempts: number;
}

export interface RegistryClient {
  /**
   * Resolves the tag of a reference (`latest` where it has none) to the digest of what the registry
   * serves under it at one endpoint: the index where there is one. Tries the credentials in turn;
   * without any it asks anonymously. Throws PinError.
   */
  readonly lookup: (
    endpoint: Endpoint,
    reference: ImageReference,
    how: { readonly access: Access; readonly signal: AbortSignal },
  ) => Promise<Lookup>;
}

export interface RegistryClientParts extends TagDigestParts {
  /** Ask without a credential when all were refused. */
  readonly anonymousFallback: boolean;
  /** Prefixes of names whose digests are pinned only after they were served by digest. */
  readonly verifyByDigest: readonly string[];
  readonly observeTry?: ObserveTry | undefined;
}

export function createRegistryClient(parts: RegistryClientParts): RegistryClient {
  const digests = createTagDigests(parts);
  const verification = createVerification(parts, parts.verifyByDigest);
  const knock = createKnock(parts);
  const { anonymousFallback, observeTry } = parts;
  return {
    lookup: async (endpoint, reference, how) => {
      const { repository } = referenceAt(endpoint, reference);
      const wanted = { endpoint, repository, name: normalizedTag(reference), signal: how.signal };
      const attempt = {
        ...how,
        endpoint,
        reference,
        knock: () => knock(wanted),
        anonymousFallback,
        observeTry,
        refusals: [],
        problems: [],
      };
      const { found, attempts } = await firstAccepted(attempt, (offered) => {
        const isCovered =
          verification.covers(reference) || verification.covers(referenceAt(endpoint, reference));
        return resolveTag({ digests, verification, isCovered }, { ...wanted, ...offered });
      });
      const { digest, mediaType, source } = found;
      return { digest, mediaType, source, host: endpoint.registry, attempts };
    },
  };
}

async function resolveTag(
  how: {
    readonly digests: TagDigests;
    readonly verification: Verification;
    readonly isCovered: boolean;
  },
  question: ManifestQuestion,
): Promise<TagDigest> {
  const { digests, verification, isCovered } = how;
  const found = await (isCovered ? digests.fetch(question) : digests.ask(question));
  if (isCovered || found.isForeign) await verification.verify(question, found.digest);
  return found;
}
