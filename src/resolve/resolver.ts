import type { Access } from '../credentials/credential.ts';
import type { PodKeyring, PullSecrets } from '../credentials/pull-secrets.ts';
import type { PullSecretsOwner } from '../credentials/read-secrets.ts';
import type { PinErrorCode } from '../error-codes.ts';
import { PinError } from '../errors.ts';
import { type ImageReference, normalizedName, normalizedTag } from '../image/reference.ts';
import type { Lookup } from '../registry/client.ts';
import { within } from '../within.ts';
import type { CachedLookup, DigestCache } from './cache.ts';
import { answers, type Flights, type Target } from './flights.ts';

/** One tag to resolve, and until when. Times are on the clock of `performance.now()`. */
interface ResolveQuestion {
  readonly identity: PullSecretsOwner;
  readonly deadlineAtMs: number;
  /** Only a look-up that began after this moment answers. */
  readonly notBeforeMs: number | undefined;
  /** Told how long was waited for what, where an answer is not known at once. */
  readonly observe?: ((reference: ImageReference, phase: Phase, ms: number) => void) | undefined;
}

type Phase = 'secretMs' | 'queueMs' | 'tokenMs' | 'manifestMs';

/** A look-up with its age. */
export interface Resolution extends Lookup {
  readonly ageMs: number;
  /** The last known digest, because the registry did not answer. */
  readonly stale: boolean;
}

/** How the cache answered: the `result` label of its metric. */
type CacheResult = 'hit' | 'negative_hit' | 'shared' | 'miss' | 'stale';

export interface Resolver {
  /** Answers at once where the digest is fresh; a promise never rejects. */
  readonly resolve: (
    reference: ImageReference,
    question: ResolveQuestion,
  ) => Resolution | PinError | Promise<Resolution | PinError>;
  /** The digest or the failure that is fresh in the cache; asks nobody, and counts as no question. */
  readonly peek: (
    reference: ImageReference,
    identity: PullSecretsOwner,
  ) => Resolution | PinError | undefined;
}

export interface ResolverParts {
  readonly pullSecrets: PullSecrets;
  readonly flights: Flights;
  readonly cache: DigestCache;
  readonly now: () => number;
  readonly observe: (result: CacheResult) => void;
}

interface Case {
  readonly target: Target;
  readonly question: ResolveQuestion;
  readonly keyring: PodKeyring;
}

export function createResolver(parts: ResolverParts): Resolver {
  return {
    resolve: (reference, question) => {
      const keyring = parts.pullSecrets.keyringOf(question.identity, question.deadlineAtMs);
      if (!(keyring instanceof Promise))
        return withKeyring(parts, { reference, question, keyring });
      const askedAtMs = parts.now();
      return inTime(parts, question, { pending: keyring, late: secretsTooLate }).then((read) => {
        question.observe?.(reference, 'secretMs', parts.now() - askedAtMs);
        return withKeyring(parts, { reference, question, keyring: read });
      });
    },
    peek: (reference, identity) => {
      const keyring = parts.pullSecrets.known(identity);
      if (keyring === undefined) return undefined;
      const nowMs = parts.now();
      const known = parts.cache.fresh(keyOf(reference, keyring.accessTo(reference)), nowMs);
      if (known === undefined || known instanceof PinError) return known;
      return resolutionOf(known, nowMs, false);
    },
  };
}

function withKeyring(
  parts: ResolverParts,
  asked: {
    readonly reference: ImageReference;
    readonly question: ResolveQuestion;
    readonly keyring: PodKeyring | PinError;
  },
): Resolution | PinError | Promise<Resolution | PinError> {
  const { reference, question, keyring } = asked;
  if (keyring instanceof PinError) return keyring;
  const target = targetOf(reference, question, keyring);
  const nowMs = parts.now();
  const known = parts.cache.fresh(target.key, nowMs);
  if (known === undefined || !answers(known, question)) {
    return fromRegistry(parts, { target, question, keyring });
  }
  if (known instanceof PinError) {
    parts.observe('negative_hit');
    return lastKnown(parts, target, known) ?? explained(known, keyring);
  }
  parts.observe('hit');
  return resolutionOf(known, nowMs, false);
}

function targetOf(
  reference: ImageReference,
  { identity, deadlineAtMs, notBeforeMs }: ResolveQuestion,
  keyring: PodKeyring,
): Target {
  const access = keyring.accessTo(reference);
  const key = keyOf(reference, access);
  return { reference, access, key, namespace: identity.namespace, deadlineAtMs, notBeforeMs };
}

function keyOf(reference: ImageReference, access: Access): string {
  return `${normalizedName(reference)}:${normalizedTag(reference)} ${access.fingerprint}`;
}

async function fromRegistry(parts: ResolverParts, asked: Case): Promise<Resolution | PinError> {
  const found = await waitFor(parts, asked);
  if (!(found instanceof PinError)) return resolutionOf(found, parts.now(), false);
  const last = lastKnown(parts, asked.target, found);
  if (last !== undefined) return last;
  return found.code === 'unauthorized'
    ? withNewSecrets(parts, asked, found)
    : explained(found, asked.keyring);
}

/** A registry refused: the secret may have changed since it was read. Read again, once. */
async function withNewSecrets(
  parts: ResolverParts,
  { target, question }: Case,
  refusal: PinError,
): Promise<Resolution | PinError> {
  const { identity, deadlineAtMs } = question;
  if (identity.pullSecrets.length === 0 && identity.serviceAccount === undefined) return refusal;
  const pending = parts.pullSecrets.reread(identity, deadlineAtMs);
  const keyring = await inTime(parts, question, { pending, late: secretsTooLate });
  if (keyring instanceof PinError) return keyring;
  const again = targetOf(target.reference, question, keyring);
  if (again.access.fingerprint === target.access.fingerprint) return explained(refusal, keyring);
  const found = await waitFor(parts, { target: again, question, keyring });
  if (found instanceof PinError) return explained(found, keyring);
  return resolutionOf(found, parts.now(), false);
}

/** The digest that is known from before, where the failure allows it and a refresh is not asked. */
function lastKnown(
  parts: ResolverParts,
  target: Target,
  failure: PinError,
): Resolution | undefined {
  if (!failure.rule.servesStale || target.notBeforeMs !== undefined) return undefined;
  const nowMs = parts.now();
  const known = parts.cache.stale(target.key, nowMs);
  if (known === undefined) return undefined;
  parts.observe('stale');
  return resolutionOf(known, nowMs, true);
}

/** Waits for a shared look-up, at most until this question's own deadline. */
async function waitFor(
  parts: ResolverParts,
  { target, question }: Case,
): Promise<CachedLookup | PinError> {
  const joinedAtMs = parts.now();
  const { ended, shared, times } = parts.flights.join(target);
  parts.observe(shared ? 'shared' : 'miss');
  const late = (): PinError => registryTooLate(target.reference);
  const found = await inTime(parts, question, { pending: ended, late });
  const endedAtMs = parts.now();
  const { startedAtMs = endedAtMs, tokenMs = 0 } = times() ?? {};
  const askedMs = endedAtMs - Math.max(startedAtMs, joinedAtMs);
  const told = { reference: target.reference, tokenMs: Math.min(tokenMs, askedMs) };
  question.observe?.(told.reference, 'queueMs', Math.max(0, startedAtMs - joinedAtMs));
  question.observe?.(told.reference, 'tokenMs', told.tokenMs);
  question.observe?.(told.reference, 'manifestMs', askedMs - told.tokenMs);
  return found;
}

function inTime<T>(
  parts: ResolverParts,
  { deadlineAtMs }: ResolveQuestion,
  wait: { readonly pending: Promise<T>; readonly late: () => PinError },
): Promise<T | PinError> {
  return within<T | PinError>(deadlineAtMs - parts.now(), wait.pending, wait.late);
}

function registryTooLate({ registry }: ImageReference): PinError {
  const message = `${registry} did not answer in time`;
  return new PinError('deadline_exceeded', message, { host: registry });
}

function secretsTooLate(): PinError {
  const message = 'the API server did not tell the pull secrets within the time of the review';
  return new PinError('secret_unreadable', message);
}

function resolutionOf(
  { lookup, askedAtMs }: CachedLookup,
  nowMs: number,
  stale: boolean,
): Resolution {
  return { ...lookup, ageMs: nowMs - askedAtMs, stale };
}

/** Registries answer 404, too, to those who may not see a repository. */
const REFUSALS: ReadonlySet<PinErrorCode> = new Set(['unauthorized', 'not_found']);

/** Behind a refusal stands, where there is one, the secret that could not be read. */
function explained(error: PinError, { problems }: PodKeyring): PinError {
  const [problem] = problems;
  if (problem === undefined || !REFUSALS.has(error.code)) return error;
  const told = problems.map(({ message }) => message).join(', ');
  return new PinError(problem.code, `${error.message}, and ${told}`, {
    cause: error,
    ...(error.host !== undefined && { host: error.host }),
  });
}
