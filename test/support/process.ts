import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { createServer } from 'node:net';
import { fileURLToPath } from 'node:url';

const MAIN = fileURLToPath(new URL('../../src/main.ts', import.meta.url));
/** Halves the start of every process but the first. */
const COMPILE_CACHE = fileURLToPath(
  new URL('../../node_modules/.cache/node-compile', import.meta.url),
);

/** How a process ended. */
export interface Ended {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** A line of the log, as JSON. */
export type LogLine = Readonly<Record<string, unknown>>;

/** `tagpin serve` as a process of its own, seen from outside. */
export interface RunningTagpin extends AsyncDisposable {
  readonly webhookPort: number;
  readonly operationsPort: number;
  readonly pid: number;
  readonly signal: (name: NodeJS.Signals) => void;
  readonly isAlive: () => boolean;
  readonly ended: Promise<Ended>;
  /** Status and text of a path of the operations port. */
  readonly operations: (path: string) => Promise<readonly [number, string]>;
  /** The first line of the log that fits, which may be still to come. */
  readonly logged: (fits: (line: LogLine) => boolean) => Promise<LogLine>;
  /** Everything that was written so far. */
  readonly output: () => string;
}

/** Runs tagpin until it ends by itself. */
export function runTagpin(
  args: readonly string[],
  env: NodeJS.ProcessEnv = {},
  input: string = '',
): Promise<Ended> {
  return endOf(start(args, env), input);
}

/** The same, with its standard output in a file. */
export function runTagpinInto(output: number, args: readonly string[]): Promise<Ended> {
  return endOf(start(args, {}, [output, 'pipe']), '');
}

function endOf(child: ChildProcess, input: string): Promise<Ended> {
  child.stdin?.on('error', () => {}).end(input);
  return collect(child).ended;
}

/** The same, where what it logs cannot be read. */
type UnreadTagpin = Omit<RunningTagpin, 'logged' | 'output'>;

/** Starts `tagpin serve` with its output on a file descriptor, or on a pipe that nobody reads. */
export async function startUnreadTagpin(
  args: readonly string[],
  output: number | 'pipe',
  env: NodeJS.ProcessEnv = {},
): Promise<UnreadTagpin> {
  const [webhookPort, operationsPort] = [await freePort(), await freePort()];
  const listen = [
    `--listen=127.0.0.1:${webhookPort}`,
    `--operations-listen=127.0.0.1:${operationsPort}`,
  ];
  const child = start(['serve', ...listen, ...args], env, [output, output]);
  child.stdout?.destroy();
  child.stderr?.destroy();
  const ended = once(child, 'close').then(([code]): Ended => ({ code, stdout: '', stderr: '' }));
  const tagpin = seenFromOutside(child, { webhookPort, operationsPort, ended });
  const isUp = (): Promise<boolean> =>
    tagpin.operations('/healthz').then(
      () => true,
      () => false,
    );
  // oxlint-disable-next-line no-await-in-loop -- one attempt after the other
  while (!(await isUp())) if (!tagpin.isAlive()) throw new Error('tagpin ended');
  return tagpin;
}

/** Starts `tagpin serve` on free ports of 127.0.0.1; resolves when it listens. */
export async function startTagpin(
  args: readonly string[],
  env: NodeJS.ProcessEnv = {},
): Promise<RunningTagpin> {
  const listen = ['--listen=127.0.0.1:0', '--operations-listen=127.0.0.1:0', '--debug-listen=off'];
  const child = start(['serve', ...listen, ...args], env);
  const { ended, output } = collect(child);
  const logged = async (fits: (line: LogLine) => boolean): Promise<LogLine> => {
    for (;;) {
      const line = linesOf(output()).find(fits);
      if (line !== undefined) return line;
      if (!isAlive(child)) throw new Error(`tagpin ended: ${output()}`);
      // oxlint-disable-next-line no-await-in-loop -- the next lines, or the end
      await Promise.race([once(child.stdout ?? child, 'data'), ended]);
    }
  };
  const listening = await logged(({ msg }) => msg === 'listening');
  const operationsPort = portOf(listening['operations']);
  const webhookPort = portOf(listening['webhook']);
  return {
    ...seenFromOutside(child, { webhookPort, operationsPort, ended }),
    logged,
    output,
  };
}

function seenFromOutside(
  child: ChildProcess,
  about: Pick<RunningTagpin, 'webhookPort' | 'operationsPort' | 'ended'>,
): UnreadTagpin {
  const { ended, operationsPort } = about;
  return {
    ...about,
    pid: child.pid ?? 0,
    signal: (name) => child.kill(name),
    isAlive: () => isAlive(child),
    operations: async (path) => {
      const response = await fetch(`http://127.0.0.1:${operationsPort}${path}`);
      return [response.status, await response.text()];
    },
    [Symbol.asyncDispose]: async () => {
      child.kill('SIGKILL');
      await ended;
    },
  };
}

function start(
  args: readonly string[],
  env: NodeJS.ProcessEnv,
  output: readonly (number | 'pipe')[] = ['pipe', 'pipe'],
): ChildProcess {
  return spawn(process.execPath, [MAIN, ...args], {
    stdio: ['pipe', ...output],
    env: { PATH: process.env['PATH'], NODE_COMPILE_CACHE: COMPILE_CACHE, ...env },
  });
}

function collect(child: ChildProcess): { ended: Promise<Ended>; output: () => string } {
  const written = { stdout: '', stderr: '' };
  for (const name of ['stdout', 'stderr'] as const) {
    child[name]?.setEncoding('utf8').on('data', (text: string) => {
      written[name] += text;
    });
  }
  const ended = once(child, 'close').then(([code]): Ended => ({ code, ...written }));
  return { ended, output: () => written.stdout + written.stderr };
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  server.close();
  await once(server, 'close');
  return typeof address === 'object' && address !== null ? address.port : 0;
}

function isAlive({ exitCode, signalCode }: ChildProcess): boolean {
  return exitCode === null && signalCode === null;
}

/** Complete lines alone: the last one may be on its way. */
function linesOf(output: string): LogLine[] {
  return output
    .slice(0, output.lastIndexOf('\n') + 1)
    .split('\n')
    .filter((line) => line.startsWith('{'))
    .map((line): LogLine => JSON.parse(line));
}

function portOf(address: unknown): number {
  return Number(String(address).split(':').at(-1));
}
