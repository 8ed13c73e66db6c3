import { spawn } from 'node:child_process';

import { PinError } from '../../errors.ts';

/** A program that knows credentials. */
export interface Program {
  /** A path, or a name that is looked for in the PATH of its environment. */
  readonly file: string;
  readonly args: readonly string[];
  readonly environment: Readonly<Record<string, string | undefined>>;
  /** What it is, for messages: `credential helper "ecr-login"`. */
  readonly title: string;
}

/** How a program ended by itself. */
export interface ProgramResult {
  readonly exitCode: number;
  readonly stdout: string;
}

/** Runs a program with `input` on its standard input. Throws PinError `credential_source_failed`. */
export type RunProgram = (
  program: Program,
  input: string,
  signal: AbortSignal,
) => Promise<ProgramResult>;

/** A token has a few KiB. */
const MAX_STDOUT_BYTES = 64 * 1024;
/** What a program wrote is there when it ends, unless somebody else holds its output open. */
const LAST_BYTES_MS = 500;

/**
 * Runs it without a shell, in a process group of its own, so that what it started dies with it when
 * `signal` aborts or it writes too much. What it left behind, in a group of its own, keeps neither an
 * answer waiting nor a file open here. Its standard error is not read: people print secrets there.
 */
export const runProgram: RunProgram = (program, input, signal) =>
  new Promise((resolve, reject) => {
    const fail = (said: string, cause?: unknown): void =>
      reject(new PinError('credential_source_failed', `${program.title} ${said}`, { cause }));
    if (signal.aborted) {
      fail('was not started in time');
      return;
    }
    const child = start(program);
    child.once('error', (cause) => fail('could not be started', cause));
    // Then its streams may be missing, too.
    if (child.pid === undefined) return;
    const kill = (said: string): void => {
      fail(said);
      killGroup(child);
      child.stdout.destroy();
    };
    const stop = (): void => kill('did not answer in time');
    signal.addEventListener('abort', stop, { once: true });
    const stdout = collect(child, () => kill(`wrote more than ${MAX_STDOUT_BYTES / 1024} KiB`));
    let lastBytes: NodeJS.Timeout | undefined;
    child.once('exit', () => {
      // A loop that was busy meanwhile reads what is there, and closes it then.
      lastBytes = setTimeout(() => setImmediate(() => child.stdout.destroy()), LAST_BYTES_MS);
    });
    child.once('close', (exitCode, killedBy) => {
      clearTimeout(lastBytes);
      signal.removeEventListener('abort', stop);
      if (exitCode === null) fail(`was ended by ${killedBy}`);
      else resolve({ exitCode, stdout: stdout() });
    });
    // It need not read what it is told; how it ends says more than a broken pipe.
    child.stdin.once('error', () => {});
    child.stdin.end(input);
  });

type Child = ReturnType<typeof start>;

function start({ file, args, environment }: Program) {
  return spawn(file, args, {
    env: { ...environment },
    stdio: ['pipe', 'pipe', 'ignore'],
    detached: true,
  });
}

/** What the child has written so far, as text. */
function collect(child: Child, tooMuch: () => void): () => string {
  const chunks: Buffer[] = [];
  let bytes = 0;
  child.stdout.on('data', (chunk: Buffer) => {
    bytes += chunk.length;
    if (bytes > MAX_STDOUT_BYTES) tooMuch();
    else chunks.push(chunk);
  });
  return () => Buffer.concat(chunks).toString('utf8');
}

function killGroup({ pid }: Child): void {
  if (pid === undefined) return;
  try {
    process.kill(-pid, 'SIGKILL');
  } catch {
    // All of it has ended by itself.
  }
}
