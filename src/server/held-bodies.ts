/** The body of one call, while its bytes are in memory. */
export interface HeldBody {
  /** Counts bytes that came; whether this body may go on. */
  readonly add: (bytes: number) => boolean;
  /** Its bytes are gone; more than once does no harm. */
  readonly release: () => void;
}

/**
 * What all bodies may have together. What is parsed of them takes twice their bytes and more, and the
 * manifests give a replica 512 MiB.
 */
const MAX_HELD_BYTES = 64 * 1024 * 1024;
/** Goes on whatever the others have: nearly every object is smaller. */
const SMALL_BODY_BYTES = 256 * 1024;

/** Holds bodies; each call of what it gives begins one. */
export function createHeldBodies(): () => HeldBody {
  let held = 0;
  return () => {
    let own = 0;
    return {
      add: (bytes) => {
        own += bytes;
        held += bytes;
        return held <= MAX_HELD_BYTES || own <= SMALL_BODY_BYTES;
      },
      release: () => {
        held -= own;
        own = 0;
      },
    };
  };
}
