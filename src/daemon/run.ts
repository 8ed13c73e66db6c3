import { existsSync } from 'node:fs';

import type { ResolvedImage } from '../contents/registries.ts';
import { tellFound } from '../contents/resolve.ts';
import type { Streams } from '../files/streams.ts';
import { openEngine } from './engine.ts';
import { localDigest } from './local-digest.ts';
import { localImages } from './local-images.ts';
import { type ListStyle, writeLocalImages } from './local-list.ts';
import { findSocket, type SocketClues } from './socket.ts';

/** What `tagpin resolve --from-daemon` was asked. */
export interface DaemonOptions extends ListStyle {
  /** All images of this machine, where it is empty. */
  readonly images: readonly string[];
  /** Where the daemon may listen. */
  readonly clues: Omit<SocketClues, 'exists'>;
}

/**
 * Prints the digests that images of this machine have in their repositories, and resolves to whether
 * all that were asked for have one. Rejects with
 * a PinError where the daemon cannot be asked.
 */
export async function runFromDaemon(options: DaemonOptions, streams: Streams): Promise<boolean> {
  const socketPath = findSocket({ ...options.clues, exists: existsSync });
  // One question for all: of a single image, a daemon may tell but what its filters leave.
  const local = await localImages(await openEngine(socketPath));
  if (options.images.length === 0) {
    await streams.out(writeLocalImages(local, options));
    return true;
  }
  const lookUp = async (image: string): Promise<ResolvedImage> => ({
    digest: localDigest(image, local),
    mediaType: undefined,
  });
  return tellFound(options, lookUp, streams);
}
