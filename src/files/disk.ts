import { readFileSync } from 'node:fs';
import { readdir, stat } from 'node:fs/promises';
import { basename, join, relative } from 'node:path';

import { PinError } from '../errors.ts';
import { leadsOut } from './below.ts';

/** A file that was named, or found in a folder that was. */
export interface InputFile {
  /** As the user wrote it, with what was found below. `-` is standard input. */
  readonly path: string;
  /** Below the folder that was named: where it goes in an output folder. */
  readonly below: string;
  /** A link to a file that is not in the folder that was named: such a file is for reading alone. */
  readonly leadsOut?: true;
}

/** The path that stands for standard input. */
export const STDIN = '-';
const MANIFEST = /\.(ya?ml|json)$/i;
/** The third name that kustomize looks for. */
const KUSTOMIZATION = 'Kustomization';

/**
 * The manifests under the paths: files as they are named; of folders all YAML and JSON, in the
 * order of their names, without what begins with a dot, and without `node_modules`.
 *
 * @throws PinError `invalid_config` for a path that is not there
 */
export async function listManifests(paths: readonly string[]): Promise<InputFile[]> {
  const lists = await Promise.all(
    paths.map(async (path) => {
      if (path === STDIN) return [{ path, below: path }];
      const found = await stat(path).catch((cause: unknown) => {
        throw new PinError('invalid_config', `Cannot read ${path}`, { cause });
      });
      if (!found.isDirectory()) return [{ path, below: basename(path) }];
      const inFolder = await manifestsIn(path);
      return inFolder.map((file) => fileIn(path, file));
    }),
  );
  const byPath = new Map<string, InputFile>();
  for (const file of lists.flat()) {
    // What was named itself as well is meant, wherever it leads.
    if (file.leadsOut !== true || !byPath.has(file.path)) byPath.set(file.path, file);
  }
  return [...byPath.values()];
}

/** What was found in a folder. */
interface Found {
  readonly path: string;
  readonly isLink: boolean;
}

function fileIn(folder: string, { path, isLink }: Found): InputFile {
  const file = { path, below: relative(folder, path) };
  return isLink && leadsOut(folder, path) ? { ...file, leadsOut: true } : file;
}

async function manifestsIn(folder: string): Promise<Found[]> {
  const entries = await readdir(folder, { withFileTypes: true });
  const lists = await Promise.all(
    entries
      .toSorted((one, other) => (one.name < other.name ? -1 : 1))
      .map(async (entry) => {
        const path = join(folder, entry.name);
        if (entry.name.startsWith('.') || entry.name === 'node_modules') return [];
        // A link to a folder is not followed: it may lead back.
        if (entry.isDirectory()) return manifestsIn(path);
        const isManifest = MANIFEST.test(entry.name) || entry.name === KUSTOMIZATION;
        if (!isManifest) return [];
        if (entry.isFile()) return [{ path, isLink: false }];
        return (await isLinkToFile(path)) ? [{ path, isLink: true }] : [];
      }),
  );
  return lists.flat();
}

function isLinkToFile(path: string): Promise<boolean> {
  return stat(path).then(
    (found) => found.isFile(),
    () => false,
  );
}

/** The text of a file, or why there is none. */
export type TextOrProblem =
  | { readonly text: string }
  | { readonly problem: string; readonly isMissing: boolean };

/**
 * Reads a file as it is: bytes that are no UTF-8 would not come back, and are refused. It waits, as
 * writing does: for files of this size that takes a fifth of the time of asking the thread pool.
 */
export function readText(path: string): TextOrProblem {
  try {
    return decode(readFileSync(path));
  } catch (caught) {
    const isMissing = Error.isError(caught) && 'code' in caught && caught.code === 'ENOENT';
    return { problem: `cannot be read: ${reasonOf(caught)}`, isMissing };
  }
}

/** The text of bytes; a byte order mark stays in it. */
export function decode(bytes: Uint8Array): TextOrProblem {
  try {
    return { text: new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes) };
  } catch {
    return { problem: 'is not UTF-8', isMissing: false };
  }
}

/** Why the system refused something, for a message. */
export function reasonOf(caught: unknown): string {
  if (!Error.isError(caught)) return String(caught);
  const code = 'code' in caught ? String(caught.code) : '';
  return REASONS[code] ?? caught.message;
}

const REASONS: Readonly<Record<string, string>> = {
  EACCES: 'permission denied',
  ENOENT: 'it is not there',
  EISDIR: 'it is a folder',
  EROFS: 'the file system is read-only',
  ENOSPC: 'no space is left',
};
