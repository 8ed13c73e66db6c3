import { statSync } from 'node:fs';

import { type PinError, toPinError } from './errors.ts';

/** Notes a path whose change makes the value be read again; called before it is read. */
export type See = (path: string) => void;

export interface ReloadedParts<T> {
  /** Reads the value anew; `known` is the last good one. Throws PinError. */
  readonly read: (see: See, known: T | undefined) => T;
  /** Told once of each change that cannot be read while the last good value serves on. */
  readonly observeFailure: (error: PinError) => void;
}

type Outcome<T> = { readonly value: T } | { readonly error: PinError };

/**
 * A value that was read from files, and is read again when one of them has changed: seen by inode,
 * size and times, as watchers do not see how a mounted ConfigMap or Secret is swapped. Without a
 * last good value, the failure is what is known, and thrown. All of it is synchronous: a few calls
 * of stat before a request to a registry, and no half-read state between them.
 */
export function createReloaded<T>({ read, observeFailure }: ReloadedParts<T>): () => T {
  let seen: ReadonlyMap<string, string> | undefined;
  let outcome: Outcome<T> | undefined;
  return () => {
    if (outcome === undefined || seen === undefined || hasChanged(seen)) {
      const known = outcome !== undefined && 'value' in outcome ? outcome.value : undefined;
      const seeing = new Map<string, string>();
      seen = seeing;
      try {
        outcome = { value: read((path) => seeing.set(path, stampOf(path)), known) };
      } catch (caught) {
        const error = toPinError(caught);
        if (known !== undefined) observeFailure(error);
        outcome = known === undefined ? { error } : { value: known };
      }
    }
    if ('error' in outcome) throw outcome.error;
    return outcome.value;
  };
}

function hasChanged(seen: ReadonlyMap<string, string>): boolean {
  for (const [path, stamp] of seen) if (stampOf(path) !== stamp) return true;
  return false;
}

/** Differs after a file was written, replaced or removed. */
function stampOf(path: string): string {
  try {
    const { dev, ino, size, mtimeNs, ctimeNs } = statSync(path, { bigint: true });
    return `${dev} ${ino} ${size} ${mtimeNs} ${ctimeNs}`;
  } catch (caught) {
    return Error.isError(caught) && 'code' in caught ? String(caught.code) : 'unreadable';
  }
}
