import type { Credential } from '../credentials/credential.ts';
import { MANIFEST_ACCEPT } from '../image/manifest.ts';
import { type Challenge, parseChallenges } from './challenge.ts';
import type { Endpoint } from './hosts.ts';
import type { Authorizer } from './token.ts';
import type { Scope } from './token-request.ts';
import type { RegistryResponse, Transport } from './transport.ts';

/** What manifests are asked for with. */
export interface ManifestRequestParts {
  readonly transport: Transport;
  readonly authorizer: Authorizer;
}

/** One manifest, at one place and with one credential or none. */
export interface ManifestQuestion {
  readonly endpoint: Endpoint;
  readonly repository: string;
  /** A tag, or a digest. */
  readonly name: string;
  readonly credential: Credential | undefined;
  readonly signal: AbortSignal;
  /** What the first HEAD was answered, where it has been sent. */
  readonly known?: RegistryResponse | undefined;
}

type Method = 'HEAD' | 'GET';

/** Where the request goes, and who is known there. */
interface Place {
  readonly method: Method;
  readonly url: URL;
  readonly headers: Readonly<Record<string, string>>;
  readonly scope: Scope;
}

/** As containerd's cap, rounded (containerd core/remotes/docker, MaxManifestSize). */
const MAX_MANIFEST_BYTES = 4 * 1024 * 1024;
const MAX_ERROR_BYTES = 64 * 1024;

/** Some registries answer an expired token with 400 or 403, without a challenge. */
const EXPIRED: ReadonlySet<number> = new Set([400, 401, 403]);
const REFUSED: ReadonlySet<number> = new Set([401, 403]);

/**
 * One request with the authorization that the registry wants: 1 round trip when it is known, 3 when
 * a token must be had, never `/v2/`. Where a redirect leads to another host, that one is a stranger:
 * it may ask for a token, as any registry may, and is told no credential.
 */
export async function sendManifestRequest(
  parts: ManifestRequestParts,
  question: ManifestQuestion,
  method: Method,
): Promise<RegistryResponse> {
  const { endpoint, repository, signal, known } = question;
  const place = placeOf(question, method);
  const { url } = place;
  const answer = await converse(parts, place, method === 'HEAD' ? known : undefined);
  if (answer.status !== 401 || isFrom(answer, url)) return answer;
  const stranger: Scope = {
    endpoint: { origin: answer.url.origin, root: '' },
    redirectedBy: endpoint.origin,
    repository,
    credential: undefined,
    signal,
    sender: answer.sender,
  };
  const there = { method, url: answer.url, headers: { accept: MANIFEST_ACCEPT }, scope: stranger };
  return converse(parts, there, answer);
}

/** The HEAD that comes first where nothing is remembered: without authorization. */
export async function sendFirstRequest(
  parts: ManifestRequestParts,
  question: ManifestQuestion,
): Promise<RegistryResponse> {
  return sendTo(parts, placeOf(question, 'HEAD'), undefined);
}

function placeOf(question: ManifestQuestion, method: Method): Place {
  const { endpoint, repository, name, credential, signal } = question;
  const url = new URL(`${endpoint.root}/${repository}/manifests/${name}`, endpoint.origin);
  if (endpoint.upstream !== undefined) url.searchParams.set('ns', endpoint.upstream);
  const headers = { ...endpoint.headers, accept: MANIFEST_ACCEPT };
  return { method, url, headers, scope: { endpoint, repository, credential, signal } };
}

function isFrom(response: RegistryResponse, url: URL): boolean {
  return response.url.origin === url.origin;
}

/** Asks with what is remembered, or without anything, and answers a challenge; `known` was answered before. */
async function converse(
  parts: ManifestRequestParts,
  place: Place,
  known?: RegistryResponse,
): Promise<RegistryResponse> {
  const { scope, url } = place;
  const remembered = parts.authorizer.remembered(scope);
  const first =
    remembered === undefined && known !== undefined
      ? known
      : await sendTo(parts, place, remembered);
  const expired = remembered !== undefined && EXPIRED.has(first.status) && isFrom(first, url);
  if (expired) parts.authorizer.forget(scope);
  const bare = expired && first.status !== 401 ? await sendTo(parts, place, undefined) : first;
  if (bare.status !== 401 || !isFrom(bare, url)) return bare;
  return authorized(parts, place, bare);
}

/** Answers the challenges of a 401; and once more where the token has too narrow a scope. */
async function authorized(
  parts: ManifestRequestParts,
  place: Place,
  refused: RegistryResponse,
): Promise<RegistryResponse> {
  const { authorizer } = parts;
  const challenges = challengesOf(refused);
  const authorization = await authorizer.answer(place.scope, challenges);
  const second = await sendTo(parts, place, authorization);
  if (!REFUSED.has(second.status) || !isFrom(second, place.url)) return second;
  authorizer.forget(place.scope);
  const wider = challengesOf(second);
  if (!wantsAnotherScope(challenges, wider)) return second;
  const third = await sendTo(parts, place, await authorizer.answer(place.scope, wider));
  if (REFUSED.has(third.status)) authorizer.forget(place.scope);
  return third;
}

function challengesOf(response: RegistryResponse): readonly Challenge[] {
  return parseChallenges(response.header('www-authenticate'));
}

/** RFC 6750 section 3.1: `insufficient_scope` names the scope that would do. */
function wantsAnotherScope(before: readonly Challenge[], after: readonly Challenge[]): boolean {
  const [had, wants] = [before, after].map((list) =>
    list.find(({ scheme }) => scheme === 'bearer'),
  );
  const scope = wants?.params['scope'];
  return (
    wants?.params['error'] === 'insufficient_scope' &&
    scope !== undefined &&
    scope !== had?.params['scope']
  );
}

async function sendTo(
  parts: ManifestRequestParts,
  { method, url, headers, scope }: Place,
  authorization: string | undefined,
): Promise<RegistryResponse> {
  return parts.transport.send({
    method,
    url,
    connection: scope.endpoint.connection,
    sender: scope.sender,
    headers: { ...headers, ...(authorization !== undefined && { authorization }) },
    signal: scope.signal,
    maxBodyBytes: method === 'GET' ? MAX_MANIFEST_BYTES : MAX_ERROR_BYTES,
    followRedirects: true,
  });
}
