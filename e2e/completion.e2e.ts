import { execFile } from 'node:child_process';
import { globSync } from 'node:fs';
import { mkdir, mkdtemp, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { delimiter, dirname, join } from 'node:path';
import { promisify, stripVTControlCharacters } from 'node:util';

import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';

import { runTagpin } from '../test/support/process.ts';
import { binaryPath } from './support/binaries.ts';
import { unpackedPackage } from './support/debian.ts';
import { readEnvironment } from './support/environment.ts';
import { TestImage } from './support/test-image.ts';

const run = promisify(execFile);
const { registry } = readEnvironment();
const MAIN = join(import.meta.dirname, '..', 'src', 'main.ts');
const DOWNLOAD_TIMEOUT_MS = 300_000;

let directory: string;

beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'tagpin-shell-'));
  await writeFile(join(directory, 'pod.yaml'), '');
});
afterAll(() => rm(directory, { recursive: true }));

/** Types these lines on a terminal, and gives what it shows. */
async function typed(
  shell: string,
  lines: readonly string[],
  env: NodeJS.ProcessEnv = {},
): Promise<string> {
  const child = run('script', ['-qec', shell, '/dev/null'], {
    cwd: directory,
    env: { PATH: process.env['PATH'], HOME: directory, TERM: 'dumb', PS1: '$ ', ...env },
  });
  child.child.stdin?.end(`${lines.join('\n')}\nexit\n`);
  return stripVTControlCharacters((await child).stdout);
}

async function scriptFor(shell: 'bash' | 'zsh', name: string): Promise<string> {
  const path = join(directory, name);
  await writeFile(path, (await runTagpin(['completion', shell])).stdout);
  return path;
}

/** In place of the program: says with what it was called. */
const SHOW = 'tagpin() { printf \'ran <%s>\\n\' "$*"; }';
/** Lines with the tabulator, and what is run by them. */
const LINES: readonly (readonly [string, string])[] = [
  ['tagpin res\t-o js\tx', 'ran <resolve -o json x>'],
  ['tagpin expl\t--short-names=ref\tx', 'ran <explain --short-names=refuse x>'],
  ['tagpin pin --dry\tpo\t', 'ran <pin --dry-run pod.yaml>'],
  ['tagpin compl\tzs\t', 'ran <completion zsh>'],
];

describe('tagpin completion', () => {
  it('completes what is typed in bash', async () => {
    const script = await scriptFor('bash', 'tagpin.bash');
    const shown = await typed('bash --norc --noprofile -i', [
      `source ${script}`,
      SHOW,
      ...LINES.map(([line]) => line),
    ]);
    for (const [, ran] of LINES) expect(shown).toContain(ran);
  });

  it(
    'completes what is typed in zsh, sourced and found in fpath',
    async () => {
      const root = await unpackedPackage('zsh');
      const [modules = ''] = globSync(join(root, 'usr/lib/*/zsh/5*'));
      const functions = globSync(join(root, 'usr/share/zsh/functions/**/'));
      const script = await scriptFor('zsh', '_tagpin');
      const setUp = [
        `module_path=(${dirname(modules)} ${modules})`,
        `fpath=(${functions.join(' ')})`,
      ];
      const start = 'autoload -Uz compinit && compinit -u -D';
      const zsh = `${join(root, 'bin/zsh')} -f -i`;
      const lines = [SHOW, ...LINES.map(([line]) => line)];
      const [sourced, found] = await Promise.all([
        typed(zsh, [...setUp, start, `source ${script}`, ...lines]),
        typed(zsh, [...setUp, `fpath+=(${directory})`, start, ...lines]),
      ]);
      for (const [, ran] of LINES) {
        expect(sourced).toContain(ran);
        expect(found).toContain(ran);
      }
    },
    DOWNLOAD_TIMEOUT_MS,
  );
});

describe('kubectl tagpin', () => {
  it('is found by kubectl, and does what tagpin does', async () => {
    const plugins = join(directory, 'plugins');
    await symlinkIn(plugins);
    const image = await TestImage.ofOnePlatform(registry);
    const env = {
      PATH: [plugins, dirname(process.execPath), process.env['PATH']].join(delimiter),
      HOME: directory,
    };
    const kubectl = (...args: readonly string[]) => run(binaryPath('kubectl'), [...args], { env });
    expect((await kubectl('plugin', 'list')).stdout).toContain(join(plugins, 'kubectl-tagpin'));
    const { stdout } = await kubectl('tagpin', 'resolve', image.tagged);
    expect(stdout).toBe(`${await image.pinned()}\n`);
    const help = await kubectl('tagpin', 'resolve', '--help');
    expect(help.stdout).toContain('Usage: kubectl tagpin resolve ');
  });
});

async function symlinkIn(folder: string): Promise<void> {
  await mkdir(folder);
  await symlink(MAIN, join(folder, 'kubectl-tagpin'));
}
