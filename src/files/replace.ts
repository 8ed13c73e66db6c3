import {
  accessSync,
  closeSync,
  constants,
  existsSync,
  fchmodSync,
  fchownSync,
  fstatSync,
  lstatSync,
  mkdirSync,
  open,
  realpathSync,
  rmSync,
  type Stats,
  statSync,
  writeFileSync,
} from 'node:fs';
import { rename } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';

import { leadsOut } from './below.ts';
import { reasonOf } from './disk.ts';

/** What a new file gets, less what the process masks. */
const NEW_MODE = 0o666;
const MODE_BITS = 0o7777;

/**
 * Writes a file beside the old one and renames it, so that whoever looks, and whatever happens,
 * sees one of the two whole. Mode and owner stay; a link keeps leading to the file it leads to.
 *
 * @returns why the file could not be written, if so
 */
export function replaceFile(path: string, text: string): Promise<string | undefined> {
  return problemOf(async () => {
    const target = lstatSync(path).isSymbolicLink() ? realpathSync(path) : path;
    const old = statSync(target);
    // Its folder would let us replace it all the same.
    if ((old.mode & 0o222) === 0) return 'is read-only';
    accessSync(target, constants.W_OK);
    await writeBeside(target, text, old);
    return undefined;
  });
}

/** The same as {@link createFile}, in a folder that was named, and through no link that leads out of it. */
export async function createBelow(
  folder: string,
  below: string,
  text: string,
): Promise<string | undefined> {
  return problemOf(async () => {
    const path = join(folder, below);
    return leadsOut(folder, path) ? 'leads out of the folder' : createFile(path, text);
  });
}

/** Writes a file that may be new, with the folders above it. */
export async function createFile(path: string, text: string): Promise<string | undefined> {
  if (existsSync(path)) return replaceFile(path, text);
  return problemOf(async () => {
    mkdirSync(dirname(path), { recursive: true });
    await writeBeside(path, text, undefined);
    return undefined;
  });
}

async function problemOf(write: () => Promise<string | undefined>): Promise<string | undefined> {
  try {
    return await write();
  } catch (caught) {
    return `cannot be written: ${reasonOf(caught)}`;
  }
}

/** Two names of one file may be written at the same time. */
let written = 0;

/**
 * In the same folder: a rename is one step inside of a file system alone. To create and to rename is
 * what takes long, and is left to the thread pool; the rest takes less than asking it.
 */
async function writeBeside(target: string, text: string, old: Stats | undefined): Promise<void> {
  written += 1;
  const name = `.${basename(target)}.tagpin-${process.pid}-${written}`;
  const beside = join(dirname(target), name);
  const descriptor = await create(beside, (old?.mode ?? NEW_MODE) & MODE_BITS);
  try {
    try {
      writeFileSync(descriptor, text);
      if (old !== undefined) copyOwnerAndMode(descriptor, old);
    } finally {
      closeSync(descriptor);
    }
    await rename(beside, target);
  } catch (caught) {
    rmSync(beside, { force: true });
    throw caught;
  }
}

/** Fails where the name is taken: it may be a link that somebody else has put there. */
function create(path: string, mode: number): Promise<number> {
  return new Promise((resolve, reject) => {
    open(path, 'wx', mode, (error, descriptor) => {
      if (error === null) resolve(descriptor);
      else reject(error);
    });
  });
}

/** The process may mask bits of a mode at creation, and a new owner takes some away. */
function copyOwnerAndMode(descriptor: number, { uid, gid, mode }: Stats): void {
  const now = fstatSync(descriptor);
  if (now.uid !== uid || now.gid !== gid) fchownSync(descriptor, uid, gid);
  if (fstatSync(descriptor).mode !== mode) fchmodSync(descriptor, mode & MODE_BITS);
}
