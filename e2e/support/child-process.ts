import { spawn } from 'node:child_process';
import {
  closeSync,
  existsSync,
  openSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';

import { eventually } from './eventually.ts';

/** What to start, and how to see that it is up. */
export interface ProcessSpec {
  readonly name: string;
  readonly command: string;
  readonly args: readonly string[];
  readonly env?: Readonly<Record<string, string>>;
  /** Takes `<name>.log` and, while the process lives, `<name>.pid`. */
  readonly directory: string;
  /** Throws until the process serves. */
  ready(): Promise<void>;
}

/** A process that was seen ready. */
export interface RunningProcess {
  readonly pid: number;
  readonly logFile: string;
  /** How it ended: its exit code, or the signal. */
  readonly ended: Promise<number | NodeJS.Signals>;
  readonly stop: () => Promise<void>;
}

const READY_TIMEOUT_MS = 180_000;
const STOP_TIMEOUT_MS = 15_000;

/**
 * Starts a process with its output in a file, and waits until it is ready.
 *
 * @throws Error with the end of the log when it exits early or is not ready in time
 */
export async function startProcess(spec: ProcessSpec): Promise<RunningProcess> {
  const logFile = join(spec.directory, `${spec.name}.log`);
  const pidFile = join(spec.directory, `${spec.name}.pid`);
  const log = openSync(logFile, 'a');
  const child = spawn(spec.command, spec.args, {
    stdio: ['ignore', log, log],
    env: { ...process.env, ...spec.env },
  });
  closeSync(log);
  let ending: string | undefined;
  child.once('error', (error) => (ending = error.message));
  const ended = new Promise<number | NodeJS.Signals>((resolve) => {
    child.once('exit', (code, cause) => {
      const how = code ?? cause ?? 'SIGKILL';
      ending ??= `it ended with ${how}`;
      resolve(how);
    });
  });
  const { pid } = child;
  if (pid !== undefined) writeFileSync(pidFile, String(pid));
  const stop = async (): Promise<void> => {
    if (pid !== undefined) await endProcess(pid);
    rmSync(pidFile, { force: true });
  };

  try {
    await eventually(async () => {
      if (ending === undefined) await spec.ready();
    }, READY_TIMEOUT_MS);
    if (ending !== undefined) throw new Error(ending);
  } catch (error) {
    await stop();
    const reason = Error.isError(error) ? error.message : String(error);
    throw new Error(`${spec.name} did not come up: ${reason}\n${tail(logFile)}`, { cause: error });
  }
  return { pid: pid ?? 0, logFile, ended, stop };
}

/** Ends every process that was started with this directory and still lives, youngest first. */
export async function stopAll(directory: string): Promise<void> {
  const pids = livingPids(directory);
  for (const { file, pid } of pids) {
    await endProcess(pid);
    rmSync(file, { force: true });
  }
}

/** The last resort of an interrupted run, where nothing can be awaited any more. */
export function killAll(directory: string): void {
  for (const { pid } of livingPids(directory)) signal(pid, 'SIGKILL');
}

function livingPids(directory: string): { file: string; pid: number }[] {
  if (!existsSync(directory)) return [];
  // A second control plane has a directory below that of the run.
  return readdirSync(directory, { recursive: true, encoding: 'utf8' })
    .filter((file) => file.endsWith('.pid'))
    .map((file) => join(directory, file))
    .map((file) => ({ file, pid: Number(readFileSync(file, 'utf8')) }))
    .toSorted((a, b) => b.pid - a.pid);
}

async function endProcess(pid: number): Promise<void> {
  if (!signal(pid, 'SIGTERM')) return;
  const killAtMs = performance.now() + STOP_TIMEOUT_MS;
  while (signal(pid, 0)) {
    if (performance.now() > killAtMs) signal(pid, 'SIGKILL');
    await delay(20);
  }
}

/** Whether there was such a process to signal. */
function signal(pid: number, name: NodeJS.Signals | 0): boolean {
  try {
    return process.kill(pid, name);
  } catch {
    return false;
  }
}

function tail(logFile: string): string {
  return readFileSync(logFile, 'utf8').split('\n').slice(-20).join('\n');
}
