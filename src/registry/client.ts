import type { Access } from '../credentials/credential.ts';
import { PinError } from '../errors.ts';
import { computeDigest, isDigest } from '../image/digest.ts';
import { recogniseManifest } from '../image/manifest.ts';
import type { ImageReference } from '../image/reference.ts';
import type { Endpoint } from './hosts.ts';
import { type ManifestQuestion, sendManifestRequest } from './manifest-request.ts';
import { referenceAt, triesOf } from './offers.ts';
import { type Refusal, refusalOf, refusedAll } from './refusal.ts';
import type { Authorizer } from './token.ts';
import type { RegistryResponse, Transport } from './transport.ts';

/** What a registry said of a tag. */
export interface Lookup {
  readonly digest: string;
  readonly mediaType: string | undefined;
  /** The registry, as the reference names it. */
  readonly host: string;
  /** Whether the registry told the digest, or its bytes were hashed. */
  readonly source: 'header' | 'body';
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

export interface RegistryClientParts {
  readonly transport: Transport;
  readonly authorizer: Authorizer;
  /** Told when a registry's header names another digest than its bytes have. */
  readonly observeMismatch: (host: string) => void;
}

/**
 * What is told of a tag is remembered, and a header may have 16 KiB. The longest digest has 135
 * characters, a media type 255 (RFC 6838 section 4.2).
 */
const MAX_TOLD_CHARS = 255;

export function createRegistryClient(parts: RegistryClientParts): RegistryClient {
  return {
    lookup: async (endpoint, image, { access, signal }) => {
      const reference = referenceAt(endpoint, image);
      const problems: PinError[] = [];
      const refusals: Refusal[] = [];
      const asked = { endpoint, reference: image, access, signal };
      // Kubelet, too, tries one after the other.
      for await (const { offer } of triesOf(asked, problems)) {
        try {
          const credential = offer?.credential;
          const found = await ask(parts, { endpoint, reference, credential, signal });
          return { ...found, host: endpoint.registry, attempts: refusals.length + 1 };
        } catch (caught) {
          if (!(caught instanceof PinError) || !caught.rule.nextCredential) throw caught;
          refusals.push({ error: caught, offer });
        }
      }
      throw refusedAll(refusals, problems);
    },
  };
}

type Found = Omit<Lookup, 'host' | 'attempts'>;

/** HEAD, which Docker Hub does not count as a pull; GET where that tells no digest. */
async function ask(parts: RegistryClientParts, question: ManifestQuestion): Promise<Found> {
  const head = await sendManifestRequest(parts, question, 'HEAD');
  if (head.status === 200) {
    const told = toldDigest(head);
    const mediaType = toldMediaType(head);
    if (told !== undefined && !isSchema1(mediaType)) {
      return { digest: told, mediaType, source: 'header' };
    }
  } else if (head.status !== 405 && head.status !== 501) {
    throw refusalOf(question.endpoint, head);
  }
  return hashBody(parts, question);
}

async function hashBody(parts: RegistryClientParts, question: ManifestQuestion): Promise<Found> {
  const response = await sendManifestRequest(parts, question, 'GET');
  if (response.status !== 200) throw refusalOf(question.endpoint, response);
  const [contentType] = response.header('content-type');
  const mediaType = recogniseManifest(contentType, response.body);
  const told = toldDigest(response);
  const algorithm = told?.startsWith('sha512:') === true ? 'sha512' : 'sha256';
  const computed = computeDigest(response.body, algorithm);
  if (told === undefined || told === computed)
    return { digest: computed, mediaType, source: 'body' };
  // The node verifies what it pulls by its bytes: a header that disagrees is only a nuisance.
  parts.observeMismatch(question.endpoint.registry);
  return { digest: computeDigest(response.body), mediaType, source: 'body' };
}

/** `Docker-Content-Digest`, if it is there once and well formed. */
function toldDigest(response: RegistryResponse): string | undefined {
  const values = response.header('docker-content-digest');
  const [value = ''] = values;
  if (values.length !== 1 || value.length > MAX_TOLD_CHARS) return undefined;
  return isDigest(value.trim()) ? value.trim() : undefined;
}

function toldMediaType(response: RegistryResponse): string | undefined {
  const [value = ''] = response.header('content-type');
  return value === '' || value.length > MAX_TOLD_CHARS ? undefined : value;
}

/** A schema 1 manifest has no digest that a node could pull by; GET finds out and says so. */
function isSchema1(mediaType: string | undefined): boolean {
  return mediaType?.startsWith('application/vnd.docker.distribution.manifest.v1') === true;
}
