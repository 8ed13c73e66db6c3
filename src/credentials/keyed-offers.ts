import { type ImageReference, normalizedName, parseReference } from '../image/reference.ts';
import type { Offer } from './credential.ts';
import { matchesTarget, type Target, toTarget } from './location-match.ts';

/** An offer, and the images it is for. */
export interface KeyedOffer {
  /** Host, port and path, as `RegistryEntry` has it. */
  readonly key: string;
  readonly offer: Offer;
}

/** One key with everything that was stored under it. */
interface Slot {
  readonly key: string;
  readonly target: Target | undefined;
  readonly offers: Offer[];
}

// Docker Hub's first name, under which `docker login` stores to this day. It is used for an image
// of the Hub when no key matches that image's name.
const HUB_KEY = 'index.docker.io';
const HUB_HOSTS: ReadonlySet<string> = new Set(['docker.io', 'index.docker.io']);

/** Whether what is stored for the Hub is for images of a registry. */
type IsHub = (registry: string) => boolean;

/** The Hub and nothing else, as docker has it. */
export const isHub: IsHub = (registry) => HUB_HOSTS.has(registry);

/**
 * Wider than what pulls from the Hub: a host of one label without a port counts too, as in
 * keyring.go's isDefaultRegistryMatch. A pod's own secrets go where its node would send them.
 */
export const isHubToKubelet: IsHub = (registry) => isHub(registry) || !/[.:]/.test(registry);

/**
 * Finds offers by image with kubelet's answers (kubernetes/kubernetes
 * pkg/credentialprovider/keyring.go): all keys that match, in falling order of their bytes, so that
 * longer paths come before shorter and names before `*`; under one key, in the order given.
 *
 * `isOfHub` tells which images that no key matches are the Hub's; kubelet's answers need kubelet's.
 * The function takes an image in any spelling, and throws PinError `invalid_reference`.
 */
export function createKeyedOffers(
  entries: readonly KeyedOffer[],
  isOfHub: IsHub,
): (image: string) => Offer[] {
  const slots = new Map<string, Slot>();
  for (const { key, offer } of entries) {
    const slot = slots.get(key) ?? { key, target: toTarget(key), offers: [] };
    slot.offers.push(offer);
    slots.set(key, slot);
  }
  const ordered = [...slots.values()].toSorted((one, other) =>
    Buffer.compare(Buffer.from(other.key), Buffer.from(one.key)),
  );
  const hub = slots.get(HUB_KEY)?.offers ?? [];
  return (image) => {
    const reference = parseReference(image);
    const found = lookup(ordered, reference);
    return found.length === 0 && isOfHub(reference.registry) ? [...hub] : found;
  };
}

function lookup(slots: readonly Slot[], reference: ImageReference): Offer[] {
  const target = toTarget(normalizedName(reference));
  if (target === undefined) return [];
  return slots
    .filter((slot) => slot.target !== undefined && matchesTarget(slot.target, target))
    .flatMap(({ offers }) => offers);
}
