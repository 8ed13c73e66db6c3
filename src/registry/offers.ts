import type { Access, CredentialSource, Offer } from '../credentials/credential.ts';
import { PinError } from '../errors.ts';
import type { ImageReference } from '../image/reference.ts';
import type { Endpoint } from './hosts.ts';

/** One try at an endpoint: with an offer, or with none. */
export interface Try {
  readonly offer: Offer | undefined;
  /** Where the offer was borrowed; undefined for the pod's own. */
  readonly source: CredentialSource | undefined;
}

/** An endpoint's image under the name that credentials are kept by: a mirror is its own registry. */
export function referenceAt(endpoint: Endpoint, reference: ImageReference): ImageReference {
  if (endpoint.isRegistry) return reference;
  return { ...reference, registry: endpoint.registry, repository: endpoint.repository };
}

/**
 * What is tried at an endpoint, in kubelet's order: the pod's own credentials, for the registry
 * alone, then what the operator lends; nothing at all where there is none. A source is asked when
 * its turn comes. `problems` gathers the sources that failed: they matter when the registry refuses.
 */
export async function* triesOf(
  asked: {
    readonly endpoint: Endpoint;
    readonly reference: ImageReference;
    readonly access: Access;
    readonly signal: AbortSignal;
  },
  problems: PinError[],
): AsyncGenerator<Try> {
  const { endpoint, access, signal } = asked;
  let tries = 0;
  for (const offer of endpoint.isRegistry ? access.own : []) {
    tries += 1;
    yield { offer, source: undefined };
  }
  const reference = referenceAt(endpoint, asked.reference);
  for (const source of access.lent.filter((one) => one.covers(reference))) {
    // oxlint-disable-next-line no-await-in-loop -- a source whose turn does not come is not asked
    for (const offer of await offersOf(source, { reference, signal, problems })) {
      tries += 1;
      yield { offer, source };
    }
  }
  if (tries === 0) yield { offer: undefined, source: undefined };
}

async function offersOf(
  source: CredentialSource,
  asked: {
    readonly reference: ImageReference;
    readonly signal: AbortSignal;
    readonly problems: PinError[];
  },
): Promise<readonly Offer[]> {
  try {
    return await source.offersFor(asked.reference, asked.signal);
  } catch (caught) {
    if (!(caught instanceof PinError)) throw caught;
    asked.problems.push(caught);
    return [];
  }
}
