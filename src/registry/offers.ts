import type { Access, Credential, CredentialSource, Offer } from '../credentials/credential.ts';
import { PinError } from '../errors.ts';
import type { ImageReference } from '../image/reference.ts';
import type { RegistryResponse } from './exchange.ts';
import type { Endpoint } from './hosts.ts';
import type { Knock } from './knock.ts';
import type { Refusal } from './refusal.ts';

/** One try at an endpoint: with an offer, or with none. */
export interface Try {
  readonly offer: Offer | undefined;
  /** Where the offer was borrowed; undefined for the pod's own. */
  readonly source: CredentialSource | undefined;
  /** What the registry has already answered to the request that comes first, without a credential. */
  readonly known?: RegistryResponse | undefined;
}

/** Told whose turn it is, before it is tried. */
export type ObserveTry = (turn: Pick<Try, 'offer' | 'source'>) => void;

/** One look-up at one endpoint, and what came of it so far. */
export interface Attempt {
  readonly endpoint: Endpoint;
  readonly reference: ImageReference;
  readonly access: Access;
  readonly signal: AbortSignal;
  /** Whether anybody is there. */
  readonly knock: () => ReturnType<Knock>;
  /** Whether to ask without a credential when all were refused. */
  readonly anonymousFallback: boolean;
  readonly observeTry?: ObserveTry | undefined;
  /** Whoever tries adds to it. */
  readonly refusals: Refusal[];
  /** Sources that failed, and offers that were left out: they matter when the registry refuses. */
  readonly problems: PinError[];
}

/**
 * Kubelet tries all. Each costs a registry up to three requests, and one that sees so many wrong
 * passwords locks an account or an address out, which then hits every tenant.
 */
const MAX_TRIES = 20;

const NOBODY: Try = { offer: undefined, source: undefined };

/** An endpoint's image under the name that credentials are kept by: a mirror is its own registry. */
export function referenceAt(endpoint: Endpoint, reference: ImageReference): ImageReference {
  const { isRegistry, registry, repository } = endpoint;
  return { ...reference, registry: isRegistry ? reference.registry : registry, repository };
}

/**
 * What is tried at an endpoint, in kubelet's order: the pod's own credentials, for the registry
 * alone, then what the operator lends; nothing at all where there is none. At most 20.
 */
export async function* triesOf(attempt: Attempt): AsyncGenerator<Try> {
  let tries = 0;
  for await (const one of offered(attempt)) {
    if (tries === MAX_TRIES) {
      const message = `no more than ${MAX_TRIES} credentials are tried`;
      attempt.problems.push(new PinError('too_many_secrets', message));
      return;
    }
    tries += 1;
    attempt.observeTry?.(one);
    yield one;
  }
  if (tries > 0 && !attempt.anonymousFallback) return;
  attempt.observeTry?.(NOBODY);
  yield NOBODY;
}

/**
 * A source is asked when its turn comes, and not for a host that nobody has: it may start a program,
 * and names can be invented.
 */
async function* offered(attempt: Attempt): AsyncGenerator<Try> {
  const { endpoint, access } = attempt;
  const own = endpoint.isRegistry ? access.own : [];
  for (const offer of own) yield { offer, source: undefined };
  const reference = referenceAt(endpoint, attempt.reference);
  const sources = access.lent.filter((one) => one.covers(reference));
  // Whoever refused the pod's own is there.
  let known = own.length === 0 && sources.length > 0 ? await attempt.knock() : undefined;
  for (const source of sources) {
    for await (const one of lentBy(source, reference, attempt)) {
      yield { ...one, known };
      known = undefined;
    }
  }
  if (known !== undefined) yield { ...NOBODY, known };
}

/**
 * What a source offers. Where the registry refused that, it may have expired before its time: the
 * source is asked anew, once, and what it gives is tried if it is anything else.
 */
async function* lentBy(
  source: CredentialSource,
  reference: ImageReference,
  attempt: Attempt,
): AsyncGenerator<Try> {
  const before = attempt.refusals.length;
  const first = await offersOf(source, reference, attempt);
  for (const offer of first) yield { offer, source };
  // A 404 says nothing against the credential.
  const refused = attempt.refusals.slice(before).some(({ error }) => error.code === 'unauthorized');
  if (!refused) return;
  source.forget(reference);
  for (const offer of await offersOf(source, reference, attempt)) {
    const known = first.some(({ credential }) => isSame(credential, offer.credential));
    if (!known) yield { offer, source };
  }
}

function isSame(one: Credential, other: Credential): boolean {
  return (
    one.username === other.username &&
    one.password === other.password &&
    one.identityToken === other.identityToken &&
    one.registryToken === other.registryToken
  );
}

async function offersOf(
  source: CredentialSource,
  reference: ImageReference,
  { signal, problems }: Attempt,
): Promise<readonly Offer[]> {
  try {
    return await source.offersFor(reference, signal);
  } catch (caught) {
    if (!(caught instanceof PinError)) throw caught;
    problems.push(caught);
    return [];
  }
}
