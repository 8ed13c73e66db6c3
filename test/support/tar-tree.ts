import { execFileSync } from 'node:child_process';
import {
  chmodSync,
  closeSync,
  ftruncateSync,
  linkSync,
  mkdirSync,
  openSync,
  symlinkSync,
  writeFileSync,
  writeSync,
} from 'node:fs';
import { basename, dirname, join } from 'node:path';

/** What GNU tar is run with: its lists are those of a terminal that shows UTF-8, in UTC. */
const ENVIRONMENT = { PATH: process.env['PATH'], LC_ALL: 'C.UTF-8', TZ: 'UTC' };

const LONG = 'n'.repeat(120);
const MODES = [
  ['setuid', 0o4755],
  ['setgid', 0o2755],
  ['sticky', 0o1777],
  ['no-execution', 0o7666],
] as const;
const SPARSE_BYTES = 1_048_576;

/** Makes a folder `tree` with all that is hard to put into an archive, and gives its path. */
export function writeTree(directory: string): string {
  const tree = join(directory, 'tree');
  mkdirSync(join(tree, LONG, LONG), { recursive: true });
  const at = (name: string): string => join(tree, name);
  writeFileSync(at('plain'), 'hello');
  linkSync(at('plain'), at('hard'));
  symlinkSync('plain', at('soft'));
  symlinkSync(`${LONG}/${LONG}/${LONG}`, at('long-soft'));
  writeFileSync(at(`${LONG}/${LONG}/${LONG}`), 'deep');
  linkSync(at(`${LONG}/${LONG}/${LONG}`), at(`${LONG}/${LONG}/hard`));
  for (const name of ['.wh.gone', '.wh..wh..opq', 'two\nlines', 'back\\slash', 'tab\tbell\u0007']) {
    writeFileSync(at(name), 'x');
  }
  writeFileSync(at('Főtanúsítvány 日本 😀'), 'x');
  writeFileSync(at('日本'.repeat(30)), 'x');
  writeFileSync(Buffer.concat([Buffer.from(at('latin-')), Buffer.from([0xe9, 0x80])]), 'x');
  for (const [name, mode] of MODES) {
    writeFileSync(at(name), '#!/bin/sh\n');
    chmodSync(at(name), mode);
  }
  execFileSync('sh', ['-c', 'mkfifo "$0"', at('fifo')]);
  writeSparse(at('sparse'));
  return tree;
}

/** Its holes are more than one header of GNU's has room for. */
function writeSparse(path: string): void {
  const file = openSync(path, 'w');
  for (let offset = 0; offset < SPARSE_BYTES; offset += 40_000) writeSync(file, 'x', offset);
  ftruncateSync(file, SPARSE_BYTES);
  closeSync(file);
}

/** Packs a folder of {@link writeTree}, or another; the order of its members is always the same. */
export function packTree(tree: string, ...options: readonly string[]): Buffer {
  const args = ['--sort=name', ...options, '-cf', '-', '-C', dirname(tree), basename(tree)];
  return execFileSync('tar', args, { env: ENVIRONMENT, maxBuffer: 64 * 1024 * 1024 });
}

/** What GNU tar lists of an archive. */
export function tarList(archive: Buffer, ...flags: readonly string[]): string {
  const options = { input: archive, env: ENVIRONMENT, maxBuffer: 64 * 1024 * 1024 };
  return execFileSync('tar', ['-t', ...flags], options).toString('utf8');
}
