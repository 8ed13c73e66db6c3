import { constants } from 'node:fs';
import { type FileHandle, open, rename, rm } from 'node:fs/promises';
import { hostname } from 'node:os';
import { basename, dirname, join } from 'node:path';

/** The owner alone. */
const MODE = 0o600;

/**
 * The bytes of a file, or undefined where it is longer than `maxBytes`. Rejects with the error of
 * the file system, and for anything but a file: a pipe or a device would be read without an end.
 */
export async function readBounded(path: string, maxBytes: number): Promise<Buffer | undefined> {
  // A pipe that nobody writes to would be waited for.
  const handle = await open(path, constants.O_RDONLY | constants.O_NONBLOCK);
  try {
    const found = await handle.stat();
    if (!found.isFile()) throw new Error('it is no file');
    return found.size > maxBytes ? undefined : await readWhole(handle, found.size);
  } finally {
    await handle.close();
  }
}

/** As much as there was when it was opened, whoever makes it longer. */
async function readWhole(handle: FileHandle, size: number): Promise<Buffer> {
  const bytes = Buffer.alloc(size);
  let length = 0;
  while (length < size) {
    // oxlint-disable-next-line no-await-in-loop -- one piece after the other
    const { bytesRead } = await handle.read(bytes, length, size - length, length);
    if (bytesRead === 0) break;
    length += bytesRead;
  }
  return bytes.subarray(0, length);
}

/**
 * Writes a file beside the old one, to the disk, and renames it: whatever happens, one of the two is
 * there, whole. One process of a host at a time, as many hosts as there are. Rejects with the error
 * of the file system, and leaves the old one then.
 */
export async function replaceByPieces(
  path: string,
  pieces: AsyncIterable<Buffer> | Iterable<Buffer>,
): Promise<void> {
  const beside = join(dirname(path), `.${basename(path)}.${hostname()}.new`);
  // What a process left that was killed; or a link that somebody else has put there.
  await rm(beside, { force: true });
  const handle = await open(beside, 'wx', MODE);
  try {
    try {
      // oxlint-disable-next-line no-await-in-loop -- in their order
      for await (const piece of pieces) await handle.writeFile(piece);
      await handle.sync();
    } finally {
      await handle.close();
    }
    await rename(beside, path);
  } catch (caught) {
    await rm(beside, { force: true });
    throw caught;
  }
}
