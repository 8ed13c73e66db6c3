import { PinError } from '../errors.ts';

/** What a registry has under a digest, and nobody can read. */
export function damaged(reason: string, cause?: unknown): PinError {
  return new PinError('unsupported_manifest', `Cannot read the layer: ${reason}`, { cause });
}
