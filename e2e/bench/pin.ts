import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { startSampleRegistry } from '../demo/sample-registry.ts';
import { type ManifestFolderOptions, type Writing, writeManifests } from './manifest-folder.ts';
import type { Part, Row } from './result.ts';
import { interleaved } from './rounds.ts';

/**
 * `tagpin pin` over many files whose registry is some way off, and what a person waits for at each
 * start, from the sources and as it is built, beside what Node needs to do nothing.
 */
const ROUNDS = 7;
const FILES = 1000;
const IMAGES = 200;
const REGISTRY_MS = 20;
const LIMITS = { pinMs: 1500, rssMiB: 200, helpRatio: 1.5, helpExtraMs: 60 };

const ROOT = join(import.meta.dirname, '..', '..');
const SOURCE = join(ROOT, 'src', 'main.ts');
const BUILT = join(ROOT, 'dist', 'main.js');

const TEXT = `\`tagpin pin\` of ${FILES} files with ${IMAGES} images, of a registry that answers after ${REGISTRY_MS} ms; once more with a text over several lines in each file; and \`tagpin --help\` beside \`node -e 0\`. ${ROUNDS} rounds, memory in a run of its own.`;

export const benchPin: Part = async () => {
  const directory = mkdtempSync(join(tmpdir(), 'tagpin-pin-'));
  const tags = Array.from(
    { length: IMAGES },
    (_, index) => `team-${index % 9}/app-${index}:1.${index}`,
  );
  const registry = await startSampleRegistry(tags, REGISTRY_MS);
  const setting = { directory, files: FILES, registry, tags };
  const start = (...args: string[]): Promise<number> => timed(args, directory);
  const lookUps: number[] = [];
  const pin = async (args: readonly string[], writing: Writing = 'plain'): Promise<number> => {
    const before = registry.requests.length;
    const ms = await pinAll(args, setting, writing);
    lookUps.push(registry.requests.length - before);
    return ms;
  };
  try {
    await run('npm', ['run', '--silent', 'build'], { cwd: ROOT, home: directory });
    // The first round fills the caches of the file system, and is thrown away.
    const found = await interleaved(1 + ROUNDS, {
      node: () => start('-e', '0'),
      helpOfSource: () => start(SOURCE, '--help'),
      help: () => start(BUILT, '--help'),
      pinOfSource: () => pin([SOURCE]),
      pin: () => pin([BUILT]),
      pinOfBlocks: () => pin([BUILT], 'block'),
    });
    const peak = {
      built: await peakMiB(BUILT, pin, directory),
      source: await peakMiB(SOURCE, pin, directory),
    };
    return { part: 'pin', text: TEXT, rows: rowsOf(found, peak, lookUps) };
  } finally {
    registry.close();
    rmSync(directory, { recursive: true });
  }
};

/** One run over fresh files, in milliseconds; fails where an image of any of them is not pinned. */
async function pinAll(
  args: readonly string[],
  setting: ManifestFolderOptions,
  writing: Writing,
): Promise<number> {
  const { path, expectPinned } = writeManifests(setting, writing);
  const ms = await timed([...args, 'pin', path], setting.directory);
  expectPinned();
  return ms;
}

/** The most memory that a run has had; in a run of its own, as the question takes time too. */
async function peakMiB(
  main: string,
  pin: (args: readonly string[]) => Promise<number>,
  directory: string,
): Promise<number> {
  const file = join(directory, 'rss');
  const hook = join(directory, 'rss.cjs');
  const write = `require('node:fs').writeFileSync(${JSON.stringify(file)}, String(process.resourceUsage().maxRSS))`;
  writeFileSync(hook, `process.once('exit', () => ${write});`);
  await pin(['--require', hook, main]);
  return Number(readFileSync(file, 'utf8')) / 1024;
}

async function timed(args: readonly string[], cwd: string): Promise<number> {
  const started = performance.now();
  await run(process.execPath, args, { cwd, home: cwd });
  return performance.now() - started;
}

async function run(
  command: string,
  args: readonly string[],
  { cwd, home }: { readonly cwd: string; readonly home: string },
): Promise<void> {
  const child = spawn(command, args, {
    cwd,
    stdio: 'ignore',
    // Of this machine's user nothing counts: no credentials, and no cache of compiled code.
    env: { PATH: process.env['PATH'], HOME: home },
  });
  const [code] = await once(child, 'close');
  if (code !== 0) throw new Error(`${command} ${args.join(' ')} ended with ${code}`);
}

type Contender = 'node' | 'help' | 'helpOfSource' | 'pin' | 'pinOfSource' | 'pinOfBlocks';

function msRow(what: string, values: readonly number[]): Row {
  return { what, unit: 'ms', digits: 0, values };
}

function mibRow(what: string, value: number): Row {
  return { what, unit: 'MiB', digits: 0, values: [value] };
}

/** What is promised, is promised of the program as it is built. */
function rowsOf(
  found: Readonly<Record<Contender, readonly number[]>>,
  peak: { readonly built: number; readonly source: number },
  lookUps: readonly number[],
): Row[] {
  const counted = (name: Contender): readonly number[] => found[name].slice(1);
  const node = counted('node');
  const over = counted('help').map(
    (help, round) => help - LIMITS.helpRatio * (node[round] ?? Number.NaN),
  );
  return [
    { ...msRow('pin, built', counted('pin')), goal: { atMost: LIMITS.pinMs } },
    msRow('pin, built, texts over several lines', counted('pinOfBlocks')),
    msRow('pin, source', counted('pinOfSource')),
    msRow('node -e 0', node),
    msRow('--help, built', counted('help')),
    msRow('--help, source', counted('helpOfSource')),
    {
      ...msRow(`--help, built, over ${LIMITS.helpRatio} × node`, over),
      goal: { atMost: LIMITS.helpExtraMs },
    },
    { ...mibRow('pin, built: peak of memory', peak.built), goal: { atMost: LIMITS.rssMiB } },
    mibRow('pin, source: peak of memory', peak.source),
    { what: 'look-ups of a run', unit: '', digits: 0, values: lookUps, goal: { atMost: IMAGES } },
  ];
}
