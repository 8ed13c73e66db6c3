import { PinError } from '../errors.ts';

/** What somebody holds, until they end it. */
export interface Turn {
  readonly end: () => void;
}

/** Says in which namespace an image may be explained now, to somebody who may have that. */
export interface Turns {
  /** A turn, or why there is none now: PinError `overloaded`. */
  readonly take: (namespace: string) => Turn | PinError;
}

/** Each costs look-ups, and holds a review open for as long. */
const AT_ONCE = 4;

/** A namespace has one of them at a time, by whatever accounts it asks. */
export function createTurns(): Turns {
  const held = new Set<string>();
  return {
    take: (namespace) => {
      if (held.has(namespace)) {
        return new PinError('overloaded', 'another image of this namespace is being explained');
      }
      if (held.size >= AT_ONCE) {
        return new PinError('overloaded', `${AT_ONCE} images are being explained`);
      }
      held.add(namespace);
      return { end: () => void held.delete(namespace) };
    },
  };
}
