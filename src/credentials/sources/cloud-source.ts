import type { CredentialSource } from '../credential.ts';
import type { SourceParts } from './remembered-source.ts';

/** The credentials of a cloud, by a library of that cloud's own. */
export interface CloudSource extends CredentialSource {
  /**
   * Imports the library, which takes up to half a second: right after listening, never inside of a
   * review. Asks nobody anything.
   */
  readonly load: () => Promise<void>;
}

/** What every cloud's source is made of. */
export interface CloudParts extends SourceParts {
  /** The clock of `Date.now()`, by which the clouds say until when a token is good. */
  readonly wallClock: () => number;
}

/** When a token that is good until `expiresAtMs` of the wall clock ends on the other clock. */
export function onMonotonicClock({ now, wallClock }: CloudParts, expiresAtMs: number): number {
  return now() + (expiresAtMs - wallClock());
}
