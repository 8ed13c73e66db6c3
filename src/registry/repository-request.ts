import type { Credential } from '../credentials/credential.ts';
import { type Challenge, parseChallenges } from './challenge.ts';
import type { RegistryRequest, RegistryResponse } from './exchange.ts';
import type { Endpoint } from './hosts.ts';
import type { Authorizer } from './token.ts';
import type { Scope } from './token-request.ts';

/** By whom, and where, a repository is asked: at one place and with one credential or none. */
export interface RepositoryQuestion {
  readonly endpoint: Endpoint;
  readonly repository: string;
  readonly credential: Credential | undefined;
  readonly signal: AbortSignal;
}

/** What of a repository is wanted. */
export interface WantedPart {
  readonly method: 'HEAD' | 'GET';
  /** Below the repository: `manifests/1.0`, `tags/list`. */
  readonly path: string;
  readonly query?: URLSearchParams | undefined;
  readonly accept: string;
  readonly maxBodyBytes: number;
}

/** How a request is sent, with its body read or on its way, and who finds its authorization. */
export interface Sending<R extends RegistryResponse> {
  readonly send: (request: RegistryRequest) => Promise<R>;
  readonly authorizer: Authorizer;
}

/** Where a request goes, and who is known there. */
export interface Place extends Pick<WantedPart, 'method' | 'accept' | 'maxBodyBytes'> {
  readonly url: URL;
  /** Of the operator's, for this place. */
  readonly headers?: Readonly<Record<string, string>> | undefined;
  readonly scope: Scope;
}

/** Some registries answer an expired token with 400 or 403, without a challenge. */
const EXPIRED: ReadonlySet<number> = new Set([400, 401, 403]);
const REFUSED: ReadonlySet<number> = new Set([401, 403]);

export function placeOf(question: RepositoryQuestion, wanted: WantedPart): Place {
  const { endpoint, repository, credential, signal } = question;
  const { method, accept, maxBodyBytes, path, query } = wanted;
  const url = new URL(`${endpoint.root}/${repository}/${path}`, endpoint.origin);
  if (query !== undefined) url.search = query.toString();
  if (endpoint.upstream !== undefined) url.searchParams.set('ns', endpoint.upstream);
  const scope = { endpoint, repository, credential, signal };
  return { method, url, accept, maxBodyBytes, headers: endpoint.headers, scope };
}

/**
 * One request with the authorization that the registry wants: 1 round trip when it is known, 3 when
 * a token must be had, never `/v2/`. Where a redirect leads to another host, that one is a stranger:
 * it may ask for a token, as any registry may, and is told no credential. `known` is what the
 * request was answered without authorization, where it has been sent.
 */
export async function sendAuthorized<R extends RegistryResponse>(
  sending: Sending<R>,
  place: Place,
  known?: R,
): Promise<R> {
  const { endpoint, repository, signal } = place.scope;
  const answer = await converse(sending, place, known);
  if (answer.status !== 401 || isFrom(answer, place.url)) return answer;
  const stranger: Scope = {
    endpoint: { origin: answer.url.origin, root: '' },
    redirectedBy: endpoint.origin,
    repository,
    credential: undefined,
    signal,
    sender: answer.sender,
  };
  const there = { ...place, url: answer.url, headers: undefined, scope: stranger };
  return converse(sending, there, answer);
}

/** One request as it stands. */
export async function sendTo<R extends RegistryResponse>(
  { send }: Pick<Sending<R>, 'send'>,
  { method, url, headers, accept, maxBodyBytes, scope }: Place,
  authorization: string | undefined,
): Promise<R> {
  return send({
    method,
    url,
    connection: scope.endpoint.connection,
    sender: scope.sender,
    headers: { ...headers, accept, ...(authorization !== undefined && { authorization }) },
    signal: scope.signal,
    maxBodyBytes,
    followRedirects: true,
  });
}

function isFrom(response: RegistryResponse, url: URL): boolean {
  return response.url.origin === url.origin;
}

/** Asks with what is remembered, or without anything, and answers a challenge; `known` was answered before. */
async function converse<R extends RegistryResponse>(
  sending: Sending<R>,
  place: Place,
  known?: R,
): Promise<R> {
  const { scope, url } = place;
  const remembered = sending.authorizer.remembered(scope);
  const first =
    remembered === undefined && known !== undefined
      ? known
      : await sendTo(sending, place, remembered);
  const expired =
    remembered !== undefined &&
    scope.credential?.registryToken === undefined &&
    EXPIRED.has(first.status) &&
    isFrom(first, url);
  if (expired) sending.authorizer.forget(scope);
  const bare = expired && first.status !== 401 ? await sendTo(sending, place, undefined) : first;
  if (bare.status !== 401 || !isFrom(bare, url)) return bare;
  return authorized(sending, place, bare);
}

/** Answers the challenges of a 401; and once more where the token has too narrow a scope. */
async function authorized<R extends RegistryResponse>(
  sending: Sending<R>,
  place: Place,
  refused: R,
): Promise<R> {
  const { authorizer } = sending;
  const challenges = challengesOf(refused);
  const authorization = await authorizer.answer(place.scope, challenges);
  const second = await sendTo(sending, place, authorization);
  if (!REFUSED.has(second.status) || !isFrom(second, place.url)) return second;
  authorizer.forget(place.scope);
  const wider = challengesOf(second);
  if (!wantsAnotherScope(challenges, wider)) return second;
  const third = await sendTo(sending, place, await authorizer.answer(place.scope, wider));
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
