import { mkdtemp, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';

import { createRandom } from '../simulation/random.ts';
import { buildBinaries } from '../support/binaries.ts';
import { killRun, removeRun } from '../support/run-directory.ts';
import { textOfFigures } from './figures.ts';
import { SETTINGS, soakSettings } from './settings.ts';
import { soak } from './soak.ts';
import { startWorld } from './world.ts';

const USAGE = `Usage: npm run soak -- [--minutes N] [--seed N] [--json FILE]
  --minutes N  for how long faults are made; 10 unless told otherwise
  --seed N     what the faults, the tags that move and the Pods are drawn by; by chance unless told otherwise
  --json FILE  the figures, beside the line at the end
`;

/** Soaks, prints the figures and one line of JSON; ends with 1 where anything is wrong, lost or unexplained. */
async function main(): Promise<void> {
  const { values } = parseArgs({
    options: {
      minutes: { type: 'string', default: '10' },
      seed: { type: 'string', default: String(Math.floor(Math.random() * 1_000_000)) },
      json: { type: 'string' },
      help: { type: 'boolean' },
    },
  });
  const [minutes, seed] = [Number(values.minutes), Number(values.seed)];
  if (values.help === true || !(minutes > 0) || !Number.isInteger(seed)) {
    process.stderr.write(USAGE);
    process.exitCode = values.help === true ? 0 : 2;
    return;
  }
  process.stderr.write(`soak: seed ${seed}, ${minutes} minutes\n`);
  await buildBinaries([
    'etcd',
    'kube-apiserver',
    'kube-controller-manager',
    'kubectl',
    'registry',
    'toxiproxy',
  ]);
  const directory = await mkdtemp(join(tmpdir(), 'tagpin-soak-'));
  process.once('exit', () => killRun(directory));
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => process.exit(1));
  const { figures, told } = await run(directory, seed, Math.round(minutes * 60));
  process.stdout.write(`${[...told, textOfFigures(figures)].join('\n')}\n`);
  const json = JSON.stringify({ at: new Date().toISOString(), ...figures });
  process.stdout.write(`${json}\n`);
  if (values.json !== undefined) await writeFile(values.json, `${json}\n`);
  const { wrong, lost, unexplained } = figures.found;
  if (wrong + lost + unexplained > 0) process.exitCode = 1;
}

/** However it ends, what all processes have written is kept. */
async function run(directory: string, seed: number, seconds: number): ReturnType<typeof soak> {
  try {
    const random = createRandom(seed, 'world');
    const world = await startWorld({ directory, random, settings: soakSettings() });
    const result = await soak(world, { seed, seconds, hasFaults: true, ...SETTINGS });
    await world.stop();
    return result;
  } finally {
    await removeRun(directory);
  }
}

await main();
// Whatever a soak that failed has left open.
process.exit();
