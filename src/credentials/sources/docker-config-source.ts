import { PinError } from '../../errors.ts';
import { type ImageReference, normalizedName } from '../../image/reference.ts';
import type { CredentialSource, Offer } from '../credential.ts';
import { createAnswerMemory } from './answer-memory.ts';
import {
  askCredentialHelper,
  type CredentialHelperParts,
  titleOfHelper,
} from './credential-helper.ts';
import { type DockerConfigFile, HUB_SERVER } from './docker-config-file.ts';
import { observeOutcome, type SourceParts } from './remembered-source.ts';

export interface DockerConfigSourceParts extends SourceParts, CredentialHelperParts {
  /** The file as it is now. Throws PinError. */
  readonly config: () => DockerConfigFile;
}

const NAME = 'docker_config';
/** Docker asks each time; a token that has expired earlier is asked for again when it is refused. */
const HELPER_TTL_MS = 60_000;
/** One of them may be a Python interpreter with a cloud's library. */
const HELPERS_AT_A_TIME = 4;

/** One question to a helper. */
interface HelperQuestion {
  readonly name: string;
  readonly server: string;
}

/**
 * The credentials of a docker config of the operator: what the registry's helper or the store
 * answers, which docker alone would use, then what the file itself holds.
 */
export function createDockerConfigSource(parts: DockerConfigSourceParts): CredentialSource {
  const memory = createAnswerMemory<readonly Offer[]>({
    now: parts.now,
    atATime: HELPERS_AT_A_TIME,
    observe: (outcome) => observeOutcome(parts, NAME, outcome),
  });
  const askHelper = (asked: HelperQuestion, signal: AbortSignal): Promise<readonly Offer[]> => {
    const origin = titleOfHelper(asked.name);
    const fetch = async (stop: AbortSignal) => {
      const credential = await askCredentialHelper(parts, asked, stop);
      const value: readonly Offer[] = credential === undefined ? [] : [{ credential, origin }];
      return { value, goodUntilMs: parts.now() + HELPER_TTL_MS };
    };
    return memory.ask({ asked: origin, keys: [keyOf(asked)], fetch }, signal);
  };
  return {
    name: NAME,
    // The file may have changed, and any host may be in a store.
    covers: () => true,
    offersFor: async (reference, signal) => {
      const config = parts.config();
      const own = config.offersFor(normalizedName(reference));
      const asked = questionFor(config, reference);
      if (asked === undefined) {
        observeOutcome(parts, NAME, own);
        return own;
      }
      try {
        return [...(await askHelper(asked, signal)), ...own];
      } catch (caught) {
        // It was counted and logged where it failed; what the file holds may do.
        if (caught instanceof PinError && own.length > 0) return own;
        throw caught;
      }
    },
    forget: (reference) => {
      const asked = questionFor(parts.config(), reference);
      if (asked !== undefined) memory.forget([keyOf(asked)]);
    },
  };
}

function questionFor(
  config: DockerConfigFile,
  reference: ImageReference,
): HelperQuestion | undefined {
  // Users spell a host in any case; it is one registry.
  const registry = reference.registry.toLowerCase();
  const name = config.helperFor(registry);
  const server = registry === 'docker.io' ? HUB_SERVER : registry;
  return name === undefined ? undefined : { name, server };
}

/** The host comes from an image's name: JSON keeps apart what a separator would not. */
function keyOf({ name, server }: HelperQuestion): string {
  return JSON.stringify([name, server]);
}
