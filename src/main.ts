#!/usr/bin/env node
import { readFileSync } from 'node:fs';
import { basename } from 'node:path';

import { createInterruption, type Interruption } from './commands/interruption.ts';
import { nodeFault } from './commands/node-version.ts';
import { createProgram, type ProgramParts } from './commands/program.ts';
import { type ProcessStreams, processStreams } from './commands/streams.ts';
import { processEnvironment, type ServeSettings } from './config.ts';
import { toPinError } from './errors.ts';
import { printableLines } from './image/printable.ts';
import { isJsonObject, type JsonObject, objectIn, textOf } from './json.ts';
import { describeError } from './log.ts';
import type { ProcessLog } from './server/process-log.ts';

const PACKAGE = readPackage();
const VERSION = textOf(PACKAGE, 'version') ?? 'unknown';

/** package.json, which lies one level up from the sources and from what is built of them. */
function readPackage(): JsonObject {
  const text = readFileSync(new URL('../package.json', import.meta.url), 'utf8');
  const value: unknown = JSON.parse(text);
  return isJsonObject(value) ? value : {};
}

/** Before anything fails with what only whoever knows Node would understand. */
function refuseOldNode(): void {
  const engines = textOf(objectIn(PACKAGE, 'engines'), 'node') ?? '';
  const fault = nodeFault(engines, process.versions.node);
  if (fault === undefined) return;
  process.stderr.write(`tagpin: ${fault}\n`);
  process.exit(1);
}

function stopSignal(): Promise<NodeJS.Signals> {
  return new Promise((resolve) => {
    for (const signal of ['SIGTERM', 'SIGINT'] as const)
      process.once(signal, () => resolve(signal));
  });
}

/** What was begun is ended first, and then the process, as the signal does by itself. */
async function dieOfSignal({ interrupt }: Interruption): Promise<void> {
  const signal = await stopSignal();
  await interrupt();
  process.kill(process.pid, signal);
}

/** A defect outside of any review: say so and end, for the state of the process is unknown. */
function dieOnDefect({ log, end }: ProcessLog): void {
  const die = async (error: Error): Promise<void> => {
    log.error({ ...describeError(error), stack: error.stack }, 'uncaught error');
    await end();
    process.exit(1);
  };
  process.on('uncaughtException', (error) => void die(error));
}

/** What a command needs is loaded when it runs: `tagpin --help` waits for none of it. */
async function runServe(settings: ServeSettings): Promise<void> {
  const [{ composeServe }, { createLog }, { serve }] = await Promise.all([
    import('./composition/serve.ts'),
    import('./server/process-log.ts'),
    import('./commands/serve.ts'),
  ]);
  const processLog = createLog(settings.logLevel);
  const { log, lostBytes, end } = processLog;
  dieOnDefect(processLog);
  const environment = processEnvironment();
  try {
    const about = { version: VERSION, log, lostLogBytes: lostBytes, environment };
    const parts = composeServe(settings, about);
    await serve(parts, settings, stopSignal());
  } finally {
    await end();
  }
}

const openExplain: ProgramParts['openExplain'] = async (settings, namespace) => {
  const { composeExplain } = await import('./composition/explain.ts');
  const environment = processEnvironment();
  return composeExplain(settings, { version: VERSION, environment, namespace });
};

const openViaWebhook: ProgramParts['openViaWebhook'] = async (settings, namespace) => {
  const { composeViaWebhook } = await import('./composition/explain-via-webhook.ts');
  return composeViaWebhook(settings, { environment: processEnvironment(), namespace });
};

const openOnboard: ProgramParts['openOnboard'] = async (settings, namespace) => {
  const { composeOnboard } = await import('./composition/onboard.ts');
  const environment = processEnvironment();
  return composeOnboard(settings, { version: VERSION, environment, namespace });
};

const openDoctor: ProgramParts['openDoctor'] = async (settings) => {
  const { composeDoctor } = await import('./composition/doctor.ts');
  return composeDoctor(settings, { version: VERSION, environment: processEnvironment() });
};

/** What is waited for is told a person alone. */
function tellOn({
  err,
  onTerminal,
}: ProgramParts['streams']): ((line: string) => void) | undefined {
  return onTerminal.err ? (line) => void err(line) : undefined;
}

/** kubectl starts the plugin `kubectl tagpin` under the name of its file. */
function nameOf([, file = '']: readonly string[]): string {
  return basename(file).startsWith('kubectl-tagpin') ? 'kubectl tagpin' : 'tagpin';
}

/** Ends the process; with 1 where its results did not get out. */
async function exitAfter({ outFailure }: ProcessStreams, exitCode: number): Promise<never> {
  const failure = outFailure();
  if (failure === undefined) process.exit(exitCode);
  const { reasonOf } = await import('./files/disk.ts');
  process.stderr.write(`tagpin: standard output cannot be written: ${reasonOf(failure)}\n`);
  process.exit(1);
}

async function main(argv: readonly string[]): Promise<void> {
  refuseOldNode();
  let exitCode = 0;
  const streams = processStreams(processEnvironment());
  const interruption = createInterruption(() => void dieOfSignal(interruption));
  const parts: ProgramParts = {
    name: nameOf(argv),
    streams,
    environment: processEnvironment(),
    version: VERSION,
    openRegistries: async (settings, credential) => {
      const { composeCommandLine } = await import('./composition/command-line.ts');
      const environment = processEnvironment();
      const tell = tellOn(parts.streams);
      return composeCommandLine(settings, { version: VERSION, environment, credential, tell });
    },
    openExplain,
    openViaWebhook,
    openAudit: async (settings, namespace) => {
      const { composeAudit } = await import('./composition/audit.ts');
      const environment = processEnvironment();
      return composeAudit(settings, { version: VERSION, environment, namespace });
    },
    openOnboard,
    openDoctor,
    uninterrupted: interruption.uninterrupted,
    serve: runServe,
    end: (code) => {
      exitCode = code;
    },
    exit: (code) => process.exit(code),
  };
  const program = await createProgram(parts, argv.slice(2));
  try {
    await program.parseAsync(argv);
    await exitAfter(streams, exitCode);
  } catch (caught) {
    const error = toPinError(caught);
    const { error: chain } = describeError(error);
    // A cause may repeat what a stranger, or a program, has said.
    const said = printableLines(String(chain).replace(/^PinError: /, ''));
    process.stderr.write(`tagpin: ${said}\n`);
    process.exit(error.code === 'invalid_config' ? 2 : 1);
  }
}

await main(process.argv);
