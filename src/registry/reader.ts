import type { Access } from '../credentials/credential.ts';
import { PinError } from '../errors.ts';
import {
  algorithmOf,
  computeDigest,
  createDigestCheck,
  type Digest,
  isDigest,
} from '../image/digest.ts';
import { ANY_MANIFEST_ACCEPT, statedManifestType } from '../image/manifest.ts';
import { type ImageReference, normalizedTag } from '../image/reference.ts';
import type { OpenResponse, RegistryResponse } from './exchange.ts';
import { firstAccepted, type Offered } from './first-accepted.ts';
import type { Endpoint } from './hosts.ts';
import { type RequestParts, sendManifestRequest } from './manifest-request.ts';
import { type ObserveTry, referenceAt } from './offers.ts';
import { refusalOf } from './refusal.ts';
import { placeOf, type RepositoryQuestion, sendAuthorized } from './repository-request.ts';
import { digestOfBody } from './tag-digest.ts';
import { readTagList, type TagList } from './tag-list.ts';
import type { Transport } from './transport.ts';

/** A manifest or an index, whose bytes have its digest. */
export interface ReadManifest {
  readonly digest: Digest;
  readonly mediaType: string;
  /** As they were served. */
  readonly bytes: Uint8Array;
}

/** A blob on its way. */
export interface ReadBlob {
  /** As the server announces it; undefined where it does not. */
  readonly sizeBytes: number | undefined;
  /**
   * To be read once. Throws PinError: where the connection fails, and `invalid_response` after the
   * last byte where they have not the digest. Leaving it early ends the request.
   */
  readonly content: AsyncIterable<Uint8Array>;
}

/** With whose credentials, and how long. */
interface ReadHow {
  readonly access: Access;
  readonly signal: AbortSignal;
}

/** Reads what one endpoint has in the repository of a reference. Each rejects with a PinError. */
export interface RegistryReader {
  /** By digest where the reference has one: `digest_not_served` where the bytes are others. */
  readonly manifest: (
    endpoint: Endpoint,
    reference: ImageReference,
    how: ReadHow,
  ) => Promise<ReadManifest>;
  readonly blob: (
    endpoint: Endpoint,
    reference: ImageReference,
    how: ReadHow & { readonly digest: Digest },
  ) => Promise<ReadBlob>;
  /** One page of tags; `query` is what the page before it gave as `next`. */
  readonly tags: (
    endpoint: Endpoint,
    reference: ImageReference,
    how: ReadHow & { readonly query: URLSearchParams | undefined },
  ) => Promise<TagList>;
}

export interface RegistryReaderParts extends RequestParts {
  readonly transport: Transport;
  /** Told when a registry's header names another digest than its bytes have. */
  readonly observeMismatch: (host: string) => void;
  /** Ask without a credential when all were refused. */
  readonly anonymousFallback: boolean;
  readonly observeTry?: ObserveTry | undefined;
}

const MAX_ERROR_BYTES = 1024 * 1024;
/** Some registries know no pages: a repository of Google's with 60,000 digests has some 20 MB. */
const MAX_TAGS_BYTES = 32 * 1024 * 1024;
/** Amazon's registries refuse more (ECR, ListImages: maxResults). */
const PAGE = new URLSearchParams({ n: '1000' });

/** Whoever reads has chosen the host: nobody need find out beforehand whether it is there. */
const noKnock = async (): Promise<undefined> => undefined;

export function createRegistryReader(parts: RegistryReaderParts): RegistryReader {
  /** Reads with the first credential that is accepted. */
  const read = async <T>(
    endpoint: Endpoint,
    reference: ImageReference,
    { access, signal, act }: ReadHow & { readonly act: (asked: RepositoryQuestion) => Promise<T> },
  ): Promise<T> => {
    const { repository } = referenceAt(endpoint, reference);
    const { anonymousFallback, observeTry } = parts;
    const found = { refusals: [], problems: [] };
    const attempt = { endpoint, reference, access, signal, anonymousFallback, observeTry };
    const ask = ({ credential }: Offered): Promise<T> =>
      act({ endpoint, repository, credential, signal });
    return (await firstAccepted({ ...attempt, ...found, knock: noKnock }, ask)).found;
  };
  return {
    manifest: (endpoint, reference, how) =>
      read(endpoint, reference, { ...how, act: (asked) => manifestOf(parts, asked, reference) }),
    blob: (endpoint, reference, { digest, ...how }) =>
      read(endpoint, reference, { ...how, act: (asked) => blobOf(parts, asked, digest) }),
    tags: (endpoint, reference, { query, ...how }) =>
      read(endpoint, reference, { ...how, act: (asked) => tagsOf(parts, asked, query) }),
  };
}

async function manifestOf(
  parts: RegistryReaderParts,
  asked: RepositoryQuestion,
  reference: ImageReference,
): Promise<ReadManifest> {
  const wanted = reference.digest;
  if (wanted !== undefined && !isDigest(wanted)) {
    throw new PinError('invalid_reference', 'only digests of sha256 and sha512 can be verified');
  }
  const question = {
    ...asked,
    name: wanted ?? normalizedTag(reference),
    accept: ANY_MANIFEST_ACCEPT,
  };
  const response = await sendManifestRequest(parts, question, 'GET');
  requireFound(response, asked);
  const { body: bytes } = response;
  const mediaType = statedManifestType(response.header('content-type')[0], bytes);
  if (wanted !== undefined) {
    if (computeDigest(bytes, algorithmOf(wanted)) !== wanted) throw otherBytes(asked, wanted);
    return { digest: wanted, mediaType, bytes };
  }
  const { digest, isMismatch } = digestOfBody(response);
  if (isMismatch) parts.observeMismatch(asked.endpoint.registry);
  return { digest, mediaType, bytes };
}

function otherBytes({ endpoint: { registry } }: RepositoryQuestion, digest: Digest): PinError {
  const message = `${registry} serves other bytes by ${digest}`;
  return new PinError('digest_not_served', message, { host: registry });
}

async function blobOf(
  { transport, authorizer }: RegistryReaderParts,
  asked: RepositoryQuestion,
  digest: Digest,
): Promise<ReadBlob> {
  const place = placeOf(asked, {
    method: 'GET',
    path: `blobs/${digest}`,
    accept: '*/*',
    maxBodyBytes: MAX_ERROR_BYTES,
  });
  const response = await sendAuthorized({ send: transport.open, authorizer }, place);
  requireFound(response, asked);
  return { sizeBytes: sizeOf(response), content: verified(response, digest) };
}

function sizeOf(response: RegistryResponse): number | undefined {
  const [length = ''] = response.header('content-length');
  return /^\d{1,15}$/.test(length) ? Number(length) : undefined;
}

async function* verified(
  { content, url }: OpenResponse,
  digest: Digest,
): AsyncGenerator<Uint8Array> {
  const check = createDigestCheck(digest);
  for await (const chunk of content ?? []) {
    check.add(chunk);
    yield chunk;
  }
  if (check.holds()) return;
  const message = `${url.host} served bytes that are not those of ${digest}`;
  throw new PinError('invalid_response', message, { host: url.hostname });
}

async function tagsOf(
  { transport, authorizer }: RegistryReaderParts,
  asked: RepositoryQuestion,
  query: URLSearchParams = PAGE,
): Promise<TagList> {
  const place = placeOf(asked, {
    method: 'GET',
    path: 'tags/list',
    query,
    accept: 'application/json',
    maxBodyBytes: MAX_TAGS_BYTES,
  });
  const response = await sendAuthorized({ send: transport.send, authorizer }, place);
  requireFound(response, asked);
  return readTagList(response);
}

function requireFound(
  response: RegistryResponse,
  { endpoint, credential }: RepositoryQuestion,
): void {
  if (response.status !== 200) throw refusalOf(endpoint, response, credential !== undefined);
}
