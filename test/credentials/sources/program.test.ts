import { readdirSync } from 'node:fs';

import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';

import { type ProgramResult, runProgram } from '../../../src/credentials/sources/program.ts';
import { describeError } from '../../../src/log.ts';
import { failureOf } from '../../support/failure-of.ts';
import { hasEnded, Programs } from '../../support/programs.ts';
import { until } from '../../support/until.ts';

let programs: Programs;

beforeEach(() => {
  programs = new Programs();
});
afterEach(() => programs[Symbol.asyncDispose]());

interface Run {
  readonly args?: readonly string[];
  readonly input?: string;
  readonly signal?: AbortSignal;
  readonly environment?: Readonly<Record<string, string>>;
}

function run(file: string, how: Run = {}): Promise<ProgramResult> {
  const { args = [], input = '', environment = programs.environment } = how;
  const title = 'program "p"';
  return runProgram(
    { file, args, environment, title },
    input,
    how.signal ?? new AbortController().signal,
  );
}

function busyFor(ms: number): void {
  const end = performance.now() + ms;
  while (performance.now() < end);
}

/** A program that leaves somebody behind, in a group of its own, who holds its output open. */
function leaver(rest: string): string {
  const script = `setsid sh -c 'echo $$ >"$DIRECTORY/left"; exec sleep 1000' &\n${rest}`;
  return programs.program('p', script);
}

function openFiles(): number {
  return readdirSync('/proc/self/fd').length;
}

async function endLeft(): Promise<void> {
  await until(() => programs.text('left').endsWith('\n'));
  process.kill(Number(programs.text('left')), 'SIGKILL');
}

describe('runProgram()', () => {
  it('gives standard input, arguments and an environment, and has the output and the status', async () => {
    const script = 'printf "%s|%s|%s|%s" "$input" "$1" "$2" "$WORD"; exit 3';
    const file = programs.program('p', script);
    const environment = { ...programs.environment, WORD: 'blue' };
    expect(await run(file, { input: 'ghcr.io', args: ['get', '-x'], environment })).toEqual({
      exitCode: 3,
      stdout: 'ghcr.io|get|-x|blue',
    });
  });

  it('gives nothing of the environment of its own process', async () => {
    process.env['TAGPIN_TEST_WORD'] = 'leaked';
    const file = programs.program('p', 'env');
    expect((await run(file)).stdout).not.toContain('leaked');
  });

  it('finds a name in the PATH of that environment', async () => {
    programs.program('docker-credential-x', 'echo found');
    expect((await run('docker-credential-x')).stdout).toBe('found\n');
  });

  it('uses no shell', async () => {
    const file = programs.program('p', 'printf %s "$1"');
    const arg = `$(touch ${programs.at('made')}); "&|`;
    expect((await run(file, { args: [arg] })).stdout).toBe(arg);
    expect(programs.starts('made')).toBe(0);
  });

  it.each([
    ['nothing of this name', 'missing', 'ENOENT'],
    ['no program', 'text', 'EACCES'],
  ])('tells that it could not be started: %s', async (_, name, code) => {
    programs.write('text', 'hello');
    const error = await failureOf(run(programs.at(name)));
    expect(error).toMatchObject({
      code: 'credential_source_failed',
      message: 'program "p" could not be started',
      cause: { code },
    });
  });

  it('does not start what nobody waits for any more', async () => {
    const file = programs.program('p', '');
    const error = await failureOf(run(file, { signal: AbortSignal.abort() }));
    expect(error.message).toBe('program "p" was not started in time');
    expect(programs.starts('p')).toBe(0);
  });

  it('ends what hangs, with all that it started', async () => {
    const script = 'sleep 1000 &\necho "$! $$" >"$DIRECTORY/pids"\nwait';
    const file = programs.program('p', script);
    const stop = new AbortController();
    const running = failureOf(run(file, { signal: stop.signal }));
    await until(() => programs.text('pids').endsWith('\n'));
    const pids = programs.text('pids').trim().split(' ').map(Number);
    expect(pids.map(hasEnded)).toEqual([false, false]);
    stop.abort();
    expect((await running).message).toBe('program "p" did not answer in time');
    await until(() => pids.every(hasEnded));
  });

  it('waits for no one else who holds its output open, and keeps no file open', async () => {
    const before = openFiles();
    expect(await run(leaver('echo done'))).toEqual({ exitCode: 0, stdout: 'done\n' });
    expect(openFiles()).toBe(before);
    await endLeft();
  });

  it('keeps no file open for what escapes when it is ended', async () => {
    const before = openFiles();
    const stop = new AbortController();
    const running = failureOf(run(leaver('sleep 1000'), { signal: stop.signal }));
    await until(() => programs.text('left').endsWith('\n'));
    stop.abort();
    expect((await running).message).toBe('program "p" did not answer in time');
    await until(() => openFiles() <= before);
    expect(hasEnded(Number(programs.text('left')))).toBe(false);
    await endLeft();
  });

  it('loses nothing of what was written right before the end, while the loop is busy', async () => {
    const file = programs.program('p', 'head -c 65536 /dev/zero');
    const running = run(file);
    for (let n = 0; n < 4; n += 1) {
      busyFor(300);
      // oxlint-disable-next-line no-await-in-loop -- one turn of the loop after the other
      await new Promise(setImmediate);
    }
    expect((await running).stdout).toHaveLength(65_536);
  });

  it('ends what writes without an end', async () => {
    const file = programs.program('p', 'echo $$ >"$DIRECTORY/pids"\nexec yes');
    const error = await failureOf(run(file));
    expect(error.message).toBe('program "p" wrote more than 64 KiB');
    await until(() => hasEnded(Number(programs.text('pids'))));
  });

  it('takes 64 KiB, and not a byte more', async () => {
    const file = programs.program('p', 'head -c "$1" /dev/zero');
    expect((await run(file, { args: ['65536'] })).stdout).toHaveLength(65_536);
    expect((await failureOf(run(file, { args: ['65537'] }))).message).toContain('64 KiB');
  });

  it('does not mind a program that reads nothing', async () => {
    const file = programs.script('p', '#!/bin/sh\necho done');
    const input = 'x'.repeat(1_000_000);
    expect(await run(file, { input })).toEqual({ exitCode: 0, stdout: 'done\n' });
  });

  it('tells which signal ended it', async () => {
    const file = programs.program('p', 'kill -9 $$');
    expect((await failureOf(run(file))).message).toBe('program "p" was ended by SIGKILL');
  });

  it('shows nothing of the standard error, not even to the log', async () => {
    const file = programs.program('p', 'echo CANARY >&2; kill -9 $$');
    const error = await failureOf(run(file));
    expect(JSON.stringify([describeError(error), error])).not.toContain('CANARY');
    const ended = await run(programs.program('q', 'echo CANARY >&2; exit 1'));
    expect(JSON.stringify(ended)).not.toContain('CANARY');
  });
});
