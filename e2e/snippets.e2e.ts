import { execFile } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import { mkdir, mkdtemp, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';

import { createProgram } from '../src/commands/program.ts';
import { idleParts } from '../test/support/idle-parts.ts';
import { type BinaryName, binaryPath } from './support/binaries.ts';

// `console` blocks are typed by docs.e2e.ts and tutorial.e2e.ts. What stands in `sh` blocks is for
// clusters, registries and clouds that are not here: their programs are asked whether they know it.
const ROOT = join(import.meta.dirname, '..');

/** By cobra: with `--help` behind all others they refuse flags and commands that they do not know, and do nothing. */
const ASKED: readonly BinaryName[] = ['kubectl', 'helm', 'kustomize', 'crane'];

/** Of these nothing is asked. */
const OTHERS = [
  'cat',
  'cosign',
  'curl',
  'docker',
  'gcloud',
  'git',
  'grep',
  'jq',
  'ln',
  'mktemp',
  'node',
  'npm',
  'npx',
  'openssl',
  'rm',
  'scanner',
  'sort',
  'tr',
  'xargs',
];

const PAGES = ['.', 'docs', 'docs/decisions'].flatMap((folder) =>
  readdirSync(join(ROOT, folder))
    .filter((name) => name.endsWith('.md'))
    .map((name) => join(folder, name)),
);

function blocksOf(page: string, language: string = 'sh'): string[] {
  const text = readFileSync(join(ROOT, page), 'utf8');
  const fences = new RegExp(`^( *)\`\`\`${language}\\n(.*?)^ *\`\`\`$`, 'gms');
  const blocks = [...text.matchAll(fences)];
  return blocks.map(([, indent = '', block = '']) => block.replaceAll(`\n${indent}`, '\n').trim());
}

let directory: string;
let bin: string;

beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'tagpin-snippets-'));
  bin = join(directory, 'bin');
  await mkdir(bin);
  const script = (name: string, text: string): Promise<void> =>
    writeFile(join(bin, name), `#!/bin/bash\n${text}\n`, { mode: 0o755 });
  for (const name of ASKED) {
    // What stands behind `--` is another program's.
    const own = 'words=(); for word; do [ "$word" = -- ] && break; words+=("$word"); done';
    const words = `said=$(${binaryPath(name)} "\${words[@]}" --help 2>&1) || echo "${name} $*: $said" >&3`;
    await script(name, `${own}\n${words}`);
  }
  for (const name of OTHERS) await script(name, 'while read -r line; do :; done');
  await script('tagpin', `for word; do printf '%s\\n' "$word"; done >&4; echo >&4`);
  await symlink('/bin/mkdir', join(bin, 'mkdir'));
});
afterAll(async () => {
  await rm(directory, { recursive: true });
});

interface Typed {
  /** What programs did not know, and what the shell did not. */
  readonly refused: string;
  /** The words behind `tagpin`, of each call. */
  readonly calls: readonly (readonly string[])[];
}

/** Has a shell take a block apart, in a folder of its own, where there are no programs but those above. */
async function typed(block: string): Promise<Typed> {
  const cwd = await mkdtemp(join(directory, 'work-'));
  const files = { refused: join(cwd, '.refused'), calls: join(cwd, '.calls') };
  // What is written without a place of its own is not looked at, and nothing waits for input.
  const script = `cd() { :; }\n${block}\n:`;
  const options = { cwd, env: { PATH: bin, HOME: cwd } };
  const bash = `exec 3> '${files.refused}' 4> '${files.calls}' < /dev/null; . ./block`;
  await writeFile(join(cwd, 'block'), script);
  const { stderr } = await promisify(execFile)('/bin/bash', ['-c', bash], options);
  const calls = readFileSync(files.calls, 'utf8')
    .split('\n\n')
    .filter((text) => text !== '');
  return {
    refused: readFileSync(files.refused, 'utf8') + stderr,
    calls: calls.map((text) => text.trim().split('\n')),
  };
}

describe('what the documentation has in `sh` blocks', () => {
  const pages = PAGES.filter((page) => blocksOf(page).length > 0);

  it.each(pages)('is known to the programs that it names, in %s', async (page) => {
    const { commands } = await createProgram(idleParts());
    for (const block of blocksOf(page)) {
      const { refused, calls } = await typed(block);
      expect({ block, refused }).toEqual({ block, refused: '' });
      for (const [name, ...words] of calls) {
        const command = commands.find((one) => one.name() === name);
        const known = (command?.options ?? []).flatMap(({ long, short }) => [long, short]);
        const flags = words.filter((word) => /^-./.test(word)).map((word) => word.split('=')[0]);
        expect({ block, name: command?.name() }).toEqual({ block, name });
        expect({ block, unknown: flags.filter((flag) => !known.includes(flag)) }).toEqual({
          block,
          unknown: [],
        });
      }
    }
  });

  it('is in many pages', () => {
    expect(pages.length).toBeGreaterThan(8);
  });
});

/** The file that docs/install.md has its reader make. */
function overlay(): string {
  const block = blocksOf('docs/install.md').find((text) => text.includes('kustomization.yaml'));
  return /<<'YAML'\n(.*?)^YAML$/ms.exec(block ?? '')?.[1] ?? '';
}

/** The policy that is patched comes with a component. */
function needsOf(addition: string): string {
  return addition.includes('kind: MutatingAdmissionPolicy')
    ? 'components: [../manifests/kustomize/components/keep-pins]\n'
    : '';
}

async function built(kustomization: string): Promise<string> {
  const folder = await mkdtemp(join(directory, 'overlay-'));
  await mkdir(join(folder, 'deploy'));
  await symlink(join(ROOT, 'manifests'), join(folder, 'manifests'));
  await writeFile(join(folder, 'deploy', 'kustomization.yaml'), kustomization);
  const options = { maxBuffer: 16 * 1024 * 1024 };
  const { stdout } = await promisify(execFile)(
    binaryPath('kustomize'),
    ['build', join(folder, 'deploy')],
    options,
  );
  return stdout;
}

describe('what docs/install.md has for an overlay', () => {
  const additions = blocksOf('docs/install.md', 'yaml').map(
    (text, index) => [index + 1, text] as const,
  );

  it.each(additions)(
    'is taken by kustomize, and changes something: block %i',
    async (_, addition) => {
      const before = `${overlay()}${needsOf(addition)}`;
      expect(await built(`${before}${addition}\n`)).not.toBe(await built(before));
    },
  );

  it('is more than a few lines', () => {
    expect(additions.length).toBeGreaterThan(6);
  });
});
