import { PinError } from '../../errors.ts';
import type { ImageReference } from '../../image/reference.ts';
import { describeError, type Logger } from '../../log.ts';
import type { CredentialSource, Offer } from '../credential.ts';
import { createAnswerMemory } from './answer-memory.ts';

/** What a source was told, and until when it is good. */
interface FreshOffers {
  readonly offers: readonly Offer[];
  /** On the clock of `performance.now()`, in milliseconds; in the past or now: not kept. */
  readonly goodUntilMs: number;
}

/** A source of credentials without a memory. */
export interface SourceDefinition {
  /** The `source` label of its metric, a part of fingerprints, and its name in messages. */
  readonly name: string;
  /** Whether it may have any for this image; without a question to anybody. */
  readonly covers: (reference: ImageReference) => boolean;
  /** What answers are kept by: the registry, or whatever the source distinguishes. */
  readonly keyOf: (reference: ImageReference) => string;
  /**
   * Asks. The message of a PinError is shown to users; of any other error nothing but the log sees
   * the text, which must hold no secret either.
   */
  readonly fetch: (reference: ImageReference, signal: AbortSignal) => Promise<FreshOffers>;
}

export interface SourceParts {
  /** The clock of `performance.now()`, in milliseconds. */
  readonly now: () => number;
  /** Told how each fetch ended: `found`, `none`, or the code of the failure. */
  readonly observe: (source: string, result: string) => void;
  readonly log: Pick<Logger, 'warn'>;
}

/**
 * A source that remembers what it was told, for as long as that is good, asks once for all who
 * wait, and no longer than 5 s. A failure is remembered for some seconds, and logged.
 */
export function createRememberedSource(
  definition: SourceDefinition,
  parts: SourceParts,
): CredentialSource {
  const memory = createAnswerMemory<readonly Offer[]>({
    now: parts.now,
    observe: (outcome) => observeOutcome(parts, definition.name, outcome),
  });
  return {
    name: definition.name,
    covers: definition.covers,
    offersFor: (reference, signal) =>
      memory.ask(
        {
          asked: `the credential source ${JSON.stringify(definition.name)}`,
          keys: [definition.keyOf(reference)],
          fetch: async (stop) => {
            const { offers, goodUntilMs } = await definition.fetch(reference, stop);
            return { value: offers, goodUntilMs };
          },
        },
        signal,
      ),
    forget: (reference) => memory.forget([definition.keyOf(reference)]),
  };
}

/** Counts how a fetch ended, and logs a failure with what lies below it. */
export function observeOutcome(
  { observe, log }: Pick<SourceParts, 'observe' | 'log'>,
  source: string,
  outcome: readonly unknown[] | PinError,
): void {
  if (outcome instanceof PinError) {
    log.warn({ source, ...describeError(outcome) }, 'credential source failed');
    observe(source, outcome.code);
  } else {
    observe(source, outcome.length === 0 ? 'none' : 'found');
  }
}
