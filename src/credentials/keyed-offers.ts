import { normalizedName, parseReference } from '../image/reference.ts';
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

/**
 * Finds offers by image with kubelet's answers (kubernetes/kubernetes
 * pkg/credentialprovider/keyring.go): all keys that match, in falling order of their bytes, so that
 * longer paths come before shorter and names before `*`; under one key, in the order given.
 *
 * The function takes an image in any spelling, and throws PinError `invalid_reference`.
 */
export function createKeyedOffers(entries: readonly KeyedOffer[]): (image: string) => Offer[] {
  const slots = new Map<string, Slot>();
  for (const { key, offer } of entries) {
    const slot = slots.get(key) ?? { key, target: toTarget(key), offers: [] };
    slot.offers.push(offer);
    slots.set(key, slot);
  }
  const ordered = [...slots.values()].toSorted((one, other) =>
    Buffer.compare(Buffer.from(other.key), Buffer.from(one.key)),
  );
  return (image) => lookup(ordered, slots.get(HUB_KEY), image);
}

function lookup(slots: readonly Slot[], hub: Slot | undefined, image: string): Offer[] {
  const reference = parseReference(image);
  const target = toTarget(normalizedName(reference));
  const found =
    target === undefined
      ? []
      : slots.filter((slot) => slot.target !== undefined && matchesTarget(slot.target, target));
  if (found.length > 0) return found.flatMap(({ offers }) => offers);
  return isHub(reference.registry) ? [...(hub?.offers ?? [])] : [];
}

/**
 * Wider than what pulls from the Hub: a host of one label without a port counts too, as in
 * keyring.go's isDefaultRegistryMatch.
 */
function isHub(registry: string): boolean {
  return HUB_HOSTS.has(registry) || !/[.:]/.test(registry);
}
