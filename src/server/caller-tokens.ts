import { timingSafeEqual } from 'node:crypto';

/** The tokens of which a caller has to name one. */
export interface CallerTokens {
  /** Takes the same time for any token of the right length. */
  readonly accepts: (token: string) => boolean;
  /** What is not among them any more is accepted for a while. */
  readonly know: (tokens: readonly string[]) => void;
}

export interface CallerTokensOptions {
  /** How long a token is accepted that is not known any more. */
  readonly overlapMs: number;
  /** The clock of `performance.now()`, in milliseconds. */
  readonly now: () => number;
}

export function createCallerTokens({ overlapMs, now }: CallerTokensOptions): CallerTokens {
  const lastKnown = new Map<string, { readonly bytes: Buffer; readonly atMs: number }>();
  return {
    accepts: (token) => {
      const bytes = Buffer.from(token);
      let found = false;
      for (const known of lastKnown.values()) {
        if (known.bytes.length === bytes.length && timingSafeEqual(known.bytes, bytes))
          found = true;
      }
      return found;
    },
    know: (tokens) => {
      const atMs = now();
      for (const token of tokens) lastKnown.set(token, { bytes: Buffer.from(token), atMs });
      for (const [token, known] of lastKnown) {
        if (!tokens.includes(token) && atMs - known.atMs >= overlapMs) lastKnown.delete(token);
      }
    },
  };
}
