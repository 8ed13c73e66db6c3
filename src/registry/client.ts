import type { Access, Credential, Offer } from '../credentials/credential.ts';
import { PinError } from '../errors.ts';
import { computeDigest, isDigest } from '../image/digest.ts';
import { MANIFEST_ACCEPT, recogniseManifest } from '../image/manifest.ts';
import { type ImageReference, normalizedTag } from '../image/reference.ts';
import { parseChallenges } from './challenge.ts';
import type { Endpoint } from './hosts.ts';
import { referenceAt, triesOf } from './offers.ts';
import { rateLimited } from './retry-after.ts';
import type { Authorizer, Scope } from './token.ts';
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

/** As containerd's cap, rounded (containerd core/remotes/docker, MaxManifestSize). */
const MAX_MANIFEST_BYTES = 4 * 1024 * 1024;
const MAX_ERROR_BYTES = 64 * 1024;
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

interface Refusal {
  readonly error: PinError;
  readonly offer: Offer | undefined;
}

/** More would hide the rest of the message. */
const MAX_NAMED_ORIGINS = 3;

/** The first refusal, with the credentials that were tried by name, and the sources that failed. */
function refusedAll(refusals: readonly Refusal[], problems: readonly PinError[]): PinError {
  const error = refusals[0]?.error ?? new PinError('internal', 'No credential was tried');
  const failed = problems.map(({ message }) => `; ${message}`).join('');
  return new PinError(error.code, `${error.message}${triedOf(error, refusals)}${failed}`, {
    cause: error,
    ...(error.host && { host: error.host }),
  });
}

function triedOf(error: PinError, refusals: readonly Refusal[]): string {
  const origins = [...new Set(refusals.flatMap(({ offer }) => offer?.origin ?? []))];
  const named = origins.slice(0, MAX_NAMED_ORIGINS).join(', ');
  const rest = origins.length - MAX_NAMED_ORIGINS;
  if (rest > 0) return `, asked with ${named} and ${rest} more`;
  if (named !== '') return `, asked with ${named}`;
  return error.code === 'unauthorized' ? ', asked without a credential' : '';
}

interface Question {
  readonly endpoint: Endpoint;
  readonly reference: ImageReference;
  readonly credential: Credential | undefined;
  readonly signal: AbortSignal;
}

type Found = Omit<Lookup, 'host' | 'attempts'>;

/** HEAD, which Docker Hub does not count as a pull; GET where that tells no digest. */
async function ask(parts: RegistryClientParts, question: Question): Promise<Found> {
  const head = await send(parts, question, 'HEAD');
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

async function hashBody(parts: RegistryClientParts, question: Question): Promise<Found> {
  const response = await send(parts, question, 'GET');
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

/** One request with the authorization that the registry wants: 1 round trip when it is known. */
async function send(
  parts: RegistryClientParts,
  question: Question,
  method: 'HEAD' | 'GET',
): Promise<RegistryResponse> {
  const { endpoint, reference, credential, signal } = question;
  const { repository } = reference;
  const scope: Scope = { endpoint, repository, credential, signal };
  const remembered = parts.authorizer.remembered(scope);
  const first = await sendWith(parts, { question, method, authorization: remembered });
  const expired = remembered !== undefined && EXPIRED.has(first.status);
  if (expired) parts.authorizer.forget(scope);
  // Some registries answer an expired token with 400 or 403, without a challenge: ask without it.
  const bare =
    expired && first.status !== 401
      ? await sendWith(parts, { question, method, authorization: undefined })
      : first;
  if (bare.status !== 401) return bare;
  const challenges = parseChallenges(bare.header('www-authenticate'));
  const authorization = await parts.authorizer.answer(scope, challenges);
  const second = await sendWith(parts, { question, method, authorization });
  if (second.status === 401 || second.status === 403) parts.authorizer.forget(scope);
  return second;
}

const EXPIRED: ReadonlySet<number> = new Set([400, 401, 403]);

async function sendWith(
  parts: RegistryClientParts,
  request: {
    readonly question: Question;
    readonly method: 'HEAD' | 'GET';
    readonly authorization: string | undefined;
  },
): Promise<RegistryResponse> {
  const { endpoint, reference, signal } = request.question;
  const path = `${endpoint.root}/${reference.repository}/manifests/${normalizedTag(reference)}`;
  const url = new URL(path, endpoint.origin);
  if (endpoint.upstream !== undefined) url.searchParams.set('ns', endpoint.upstream);
  return parts.transport.send({
    method: request.method,
    url,
    connection: endpoint.connection,
    headers: {
      ...endpoint.headers,
      accept: MANIFEST_ACCEPT,
      ...(request.authorization !== undefined && { authorization: request.authorization }),
    },
    signal,
    maxBodyBytes: request.method === 'GET' ? MAX_MANIFEST_BYTES : MAX_ERROR_BYTES,
    followRedirects: true,
  });
}

/** What an answer other than 200 means. The body is never read into the message. */
function refusalOf({ registry }: Endpoint, response: RegistryResponse): PinError {
  const { status } = response;
  const said = `${registry} answered ${status}`;
  if (status === 404) return new PinError('not_found', `${said} (not found)`, { host: registry });
  if (status === 401 || status === 403) {
    return new PinError('unauthorized', `${said} (not found, or no access)`, { host: registry });
  }
  if (status === 429) return rateLimited(`${said} (too many requests)`, response, registry);
  if (status >= 500) return new PinError('unavailable', said, { host: registry });
  return new PinError('invalid_response', said, { host: registry });
}
