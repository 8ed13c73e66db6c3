import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { get } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';

import { createCertificateAuthority } from '../support/certificate.ts';
import { freePorts, listenFlags } from '../support/serving.ts';
import { startBenchCluster } from './bench-cluster.ts';
import type { Part, Row } from './result.ts';
import { interleaved, ratiosOf } from './rounds.ts';

/**
 * From the start of the process to the first 200 of `/readyz`, and how long the command line takes
 * to say what it can, beside what Node needs to do nothing.
 */
const ROUNDS = 7;
const POLL_MS = 3;
const GOALS_MS = { 'without a cluster': 600, 'with a cluster': 1200 };

const ROOT = join(import.meta.dirname, '..', '..');
const MAINS = { built: join(ROOT, 'dist', 'main.js'), source: join(ROOT, 'src', 'main.ts') };
const WAYS = ['built', 'source'] as const;
const PLACES = ['without a cluster', 'with a cluster'] as const;
type Place = (typeof PLACES)[number];

export const benchStart: Part = async () => {
  await finished(spawn('npm', ['run', '--silent', 'build'], { cwd: ROOT, stdio: 'inherit' }));
  const directory = mkdtempSync(join(tmpdir(), 'tagpin-start-'));
  await using started = new AsyncDisposableStack();
  started.defer(() => rmSync(directory, { recursive: true }));
  const cluster = await startBenchCluster();
  started.defer(cluster.stop);
  const serve = await servingFlags(directory);
  const flagsOf: Readonly<Record<Place, readonly string[]>> = {
    'without a cluster': ['--no-cluster'],
    'with a cluster': [`--kubeconfig=${cluster.controlPlane.kubeconfig}`],
  };
  const contenders: Record<string, () => Promise<number>> = {
    node: () => lifeMs(['-e', '0'], directory),
  };
  for (const way of WAYS) {
    contenders[`help ${way}`] = () => lifeMs([MAINS[way], '--help'], directory);
    for (const place of PLACES) {
      const flags = [MAINS[way], 'serve', ...serve, ...flagsOf[place]];
      contenders[`${place} ${way}`] = () => readyMs(flags, directory);
    }
  }
  // The first round fills the caches of the file system, and is thrown away.
  const found = await interleaved(1 + ROUNDS, contenders);
  return {
    part: 'start',
    text: `From the start of the process to the first 200 of \`/readyz\`, asked every ${POLL_MS} ms, with a real API server and without one; and \`tagpin --help\` beside \`node -e 0\`, from start to end. Without a cache of compiled code; ${ROUNDS} rounds.`,
    rows: rowsOf(found),
  };
};

function rowsOf(found: Readonly<Record<string, readonly number[]>>): Row[] {
  const of = (name: string): number[] => (found[name] ?? []).slice(1);
  const ms = (what: string, name: string): Row => ({
    what,
    unit: 'ms',
    digits: 0,
    values: of(name),
  });
  return [
    ...PLACES.flatMap((place) =>
      WAYS.map((way) => ({
        ...ms(`start to ready ${place}, ${way}`, `${place} ${way}`),
        // The image runs what is built.
        ...(way === 'built' && { goal: { atMost: GOALS_MS[place] } }),
      })),
    ),
    ms('node -e 0', 'node'),
    ...WAYS.map((way) => ms(`--help, ${way}`, `help ${way}`)),
    {
      what: '--help, built ÷ node -e 0',
      unit: '×',
      digits: 2,
      values: ratiosOf(of('help built'), of('node')),
    },
  ];
}

async function servingFlags(directory: string): Promise<readonly string[]> {
  const authority = await createCertificateAuthority();
  const { certificate, key } = await authority.issueServer('127.0.0.1');
  const file = (name: string, text: string): string => {
    const path = join(directory, name);
    writeFileSync(path, text, { mode: 0o600 });
    return path;
  };
  return [
    `--tls-cert=${file('tls.crt', certificate)}`,
    `--tls-key=${file('tls.key', key)}`,
    '--drain-time=0s',
    '--log-level=error',
  ];
}

/** Starts `serve`, waits until it is ready, and ends it. */
async function readyMs(args: readonly string[], directory: string): Promise<number> {
  const ports = await freePorts();
  const listen = [...listenFlags(ports), '--debug-listen=127.0.0.1:0'];
  const startedAtMs = performance.now();
  const child = start([...args, ...listen], directory);
  const closed = finished(child);
  const url = `http://127.0.0.1:${ports.operationsPort}/readyz`;
  while (!(await isReady(url))) {
    if (child.exitCode !== null) await closed;
    await delay(POLL_MS);
  }
  const ms = performance.now() - startedAtMs;
  child.kill('SIGTERM');
  await closed;
  return ms;
}

function isReady(url: string): Promise<boolean> {
  return new Promise((resolve) => {
    get(url, { agent: false }, (response) => {
      response.resume();
      resolve(response.statusCode === 200);
    }).once('error', () => resolve(false));
  });
}

async function lifeMs(args: readonly string[], directory: string): Promise<number> {
  const startedAtMs = performance.now();
  await finished(start(args, directory));
  return performance.now() - startedAtMs;
}

function start(args: readonly string[], cwd: string): ReturnType<typeof spawn> {
  return spawn(process.execPath, args, {
    cwd,
    stdio: ['ignore', 'ignore', 'inherit'],
    // Of this machine's user nothing counts: no credentials, and no cache of compiled code.
    env: { PATH: process.env['PATH'], HOME: cwd },
  });
}

async function finished(child: ReturnType<typeof spawn>): Promise<void> {
  const [code] = (await once(child, 'close')) as [number | null];
  if (code !== 0) throw new Error(`${child.spawnargs.join(' ')} ended with ${code}`);
}
