import type { Credential } from '../credentials/credential.ts';
import { MANIFEST_ACCEPT } from '../image/manifest.ts';
import { type ImageReference, normalizedTag } from '../image/reference.ts';
import { parseChallenges } from './challenge.ts';
import type { Endpoint } from './hosts.ts';
import type { Authorizer } from './token.ts';
import type { Scope } from './token-request.ts';
import type { RegistryResponse, Transport } from './transport.ts';

/** What manifests are asked for with. */
interface ManifestRequestParts {
  readonly transport: Transport;
  readonly authorizer: Authorizer;
}

/** One manifest, at one place and with one credential or none. */
export interface ManifestQuestion {
  readonly endpoint: Endpoint;
  readonly reference: ImageReference;
  readonly credential: Credential | undefined;
  readonly signal: AbortSignal;
}

/** As containerd's cap, rounded (containerd core/remotes/docker, MaxManifestSize). */
const MAX_MANIFEST_BYTES = 4 * 1024 * 1024;
const MAX_ERROR_BYTES = 64 * 1024;
/** One request with the authorization that the registry wants: 1 round trip when it is known. */
export async function sendManifestRequest(
  parts: ManifestRequestParts,
  question: ManifestQuestion,
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
  parts: ManifestRequestParts,
  request: {
    readonly question: ManifestQuestion;
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
