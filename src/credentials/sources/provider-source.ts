import { PinError } from '../../errors.ts';
import { type ImageReference, normalizedName } from '../../image/reference.ts';
import type { CredentialSource } from '../credential.ts';
import { createKeyedOffers, isHub, type KeyedOffer } from '../keyed-offers.ts';
import { matchesTarget, type Target, toTarget } from '../location-match.ts';
import { createAnswerMemory, type Fresh } from './answer-memory.ts';
import type { ProviderConfig } from './provider-config.ts';
import {
  askProvider,
  type ProviderAnswer,
  type ProviderPluginParts,
  titleOfProvider,
} from './provider-plugin.ts';
import { observeOutcome, type SourceParts } from './remembered-source.ts';

export interface ProviderSourceParts extends SourceParts, ProviderPluginParts {
  /** In the order of their configuration. */
  readonly providers: readonly ProviderConfig[];
}

const NAME = 'credential_provider';
/** The images of one object come together, and the answer to the first may do for all. */
const PROGRAMS_AT_A_TIME = 4;

/** One plugin with what it answered. */
interface Provider {
  readonly covers: (image: Target) => boolean;
  readonly entriesFor: (image: string, signal: AbortSignal) => Promise<readonly KeyedOffer[]>;
  readonly forget: (image: string) => void;
}

/**
 * The credentials of kubelet's exec plugins: the answers of all that match the image in one keyring,
 * so that the longest key comes first, and under one key the earlier plugin's (kubernetes/kubernetes
 * pkg/credentialprovider/plugin/plugins.go). What is for the Hub goes to the Hub alone: it is the
 * operator's, and a tenant names the hosts. A plugin that fails leaves the others.
 */
export function createProviderSource(parts: ProviderSourceParts): CredentialSource {
  const all = parts.providers.map((config) => createProvider(parts, config));
  const providersFor = (reference: ImageReference): readonly Provider[] => {
    const target = toTarget(normalizedName(reference));
    return target === undefined ? [] : all.filter(({ covers }) => covers(target));
  };
  return {
    name: NAME,
    covers: (reference) => providersFor(reference).length > 0,
    offersFor: async (reference, signal) => {
      const image = normalizedName(reference);
      const asked = providersFor(reference).map(({ entriesFor }) => entriesFor(image, signal));
      const ended = await Promise.all(asked.map(orFailure));
      const found = ended.flatMap((entries) => (entries instanceof PinError ? [] : entries));
      const offers = createKeyedOffers(found, isHub)(image);
      const failure = ended.find((entries) => entries instanceof PinError);
      // Counted and logged where it failed; it matters to the look-up when there is nothing else.
      if (failure !== undefined && offers.length === 0) throw failure;
      return offers;
    },
    forget: (reference) => {
      for (const { forget } of providersFor(reference)) forget(normalizedName(reference));
    },
  };
}

async function orFailure<T>(answer: Promise<T>): Promise<T | PinError> {
  try {
    return await answer;
  } catch (caught) {
    if (caught instanceof PinError) return caught;
    throw caught;
  }
}

function createProvider(parts: ProviderSourceParts, provider: ProviderConfig): Provider {
  const origin = titleOfProvider(provider);
  const memory = createAnswerMemory<readonly KeyedOffer[]>({
    now: parts.now,
    atATime: PROGRAMS_AT_A_TIME,
    observe: (outcome) => observeOutcome(parts, NAME, outcome),
  });
  return {
    covers: (image) => provider.matchImages.some((glob) => matchesTarget(glob, image)),
    forget: (image) => memory.forget(keysOf(image)),
    entriesFor: (image, signal) => {
      const fetch = async (stop: AbortSignal): Promise<Fresh<readonly KeyedOffer[]>> => {
        const answer = await askProvider(parts, { provider, image }, stop);
        const { cacheMs = provider.defaultCacheMs } = answer;
        return {
          value: answer.entries.map(({ key, credential }) => ({
            key,
            offer: { credential, origin },
          })),
          goodUntilMs: parts.now() + cacheMs,
          key: keyFor(answer, image),
        };
      };
      return memory.ask({ asked: origin, keys: keysOf(image), fetch }, signal);
    },
  };
}

function keysOf(image: string): [string, ...string[]] {
  return [
    keyFor({ cacheKeyType: 'Image' }, image),
    keyFor({ cacheKeyType: 'Registry' }, image),
    keyFor({ cacheKeyType: 'Global' }, image),
  ];
}

/** What an answer is kept by, in the same order of precedence as kubelet's. */
function keyFor({ cacheKeyType }: Pick<ProviderAnswer, 'cacheKeyType'>, image: string): string {
  const [registry] = image.split('/', 1);
  return { Image: `image ${image}`, Registry: `registry ${registry}`, Global: 'global' }[
    cacheKeyType
  ];
}
