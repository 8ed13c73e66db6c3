#!/usr/bin/env node
import { readFileSync } from 'node:fs';

import { Command } from 'commander';

import { addBlobCommand } from './commands/blob.ts';
import { addCheckCommand } from './commands/check.ts';
import type { CommandParts } from './commands/command-parts.ts';
import { addConfigCommand } from './commands/config.ts';
import { addExplainCommand, type ExplainCommandParts } from './commands/explain.ts';
import { addInspectCommand } from './commands/inspect.ts';
import { addLayersCommand } from './commands/layers.ts';
import { addManifestCommand } from './commands/manifest.ts';
import { addPinCommand } from './commands/pin.ts';
import { addResolveCommand } from './commands/resolve.ts';
import { addSettings, settingsOf } from './commands/settings.ts';
import { processStreams } from './commands/streams.ts';
import { addTagsCommand } from './commands/tags.ts';
import { processEnvironment, SERVE_SETTINGS, type ServeSettings } from './config.ts';
import { toPinError } from './errors.ts';
import { isJsonObject, textOf } from './json.ts';
import { describeError, type Logger } from './log.ts';

const VERSION = readVersion();

/** From package.json, which lies one level up from the sources and from what is built of them. */
function readVersion(): string {
  const text = readFileSync(new URL('../package.json', import.meta.url), 'utf8');
  const value: unknown = JSON.parse(text);
  return (isJsonObject(value) ? textOf(value, 'version') : undefined) ?? 'unknown';
}

function stopSignal(): Promise<string> {
  return new Promise((resolve) => {
    for (const signal of ['SIGTERM', 'SIGINT'] as const)
      process.once(signal, () => resolve(signal));
  });
}

/** A defect outside of any review: say so and end, for the state of the process is unknown. */
function dieOnDefect(log: Logger): void {
  process.on('uncaughtException', (error) => {
    log.error({ ...describeError(error), stack: error.stack }, 'uncaught error');
    process.exit(1);
  });
}

/** What a command needs is loaded when it runs: `tagpin --help` waits for none of it. */
async function runServe(settings: ServeSettings): Promise<void> {
  const [{ composeServe }, { createLog }, { serve }] = await Promise.all([
    import('./composition/serve.ts'),
    import('./server/process-log.ts'),
    import('./commands/serve.ts'),
  ]);
  const { log, end } = createLog(settings.logLevel);
  dieOnDefect(log);
  const environment = processEnvironment();
  try {
    const parts = composeServe(settings, { version: VERSION, log, environment });
    await serve(parts, settings, stopSignal());
  } finally {
    await end();
  }
}

const openExplain: ExplainCommandParts['openExplain'] = async (settings, namespace) => {
  const { composeExplain } = await import('./composition/explain.ts');
  const environment = processEnvironment();
  return composeExplain(settings, { version: VERSION, environment, namespace });
};

async function main(argv: readonly string[]): Promise<void> {
  const program = new Command('tagpin')
    .description(
      'Pins image tags to digests: a Kubernetes admission webhook, and its command line.',
    )
    .version(VERSION)
    // A mistake in the command line ends like one in a setting.
    .exitOverride(({ exitCode }) => process.exit(exitCode === 0 ? 0 : 2));
  const serveCommand = program
    .command('serve')
    .description('Answer admission reviews at /admission/pin, /admission/enforce, /admission/warn.')
    .action(() => runServe(settingsOf(serveCommand, SERVE_SETTINGS, processEnvironment())));
  addSettings(serveCommand, SERVE_SETTINGS);
  let exitCode = 0;
  const parts: CommandParts = {
    streams: processStreams(),
    environment: processEnvironment(),
    version: VERSION,
    openRegistries: async (settings, credential) => {
      const { composeCommandLine } = await import('./composition/command-line.ts');
      const environment = processEnvironment();
      const { err, onTerminal } = parts.streams;
      const tell = onTerminal.err ? (line: string): void => void err(line) : undefined;
      return composeCommandLine(settings, { version: VERSION, environment, credential, tell });
    },
    end: (code) => {
      exitCode = code;
    },
  };
  addResolveCommand(program, parts);
  addTagsCommand(program, parts);
  addInspectCommand(program, parts);
  addLayersCommand(program, parts);
  addManifestCommand(program, parts);
  addConfigCommand(program, parts);
  addBlobCommand(program, parts);
  addPinCommand(program, parts);
  addCheckCommand(program, parts);
  addExplainCommand(program, { ...parts, openExplain });
  try {
    await program.parseAsync(argv);
    process.exit(exitCode);
  } catch (caught) {
    const error = toPinError(caught);
    const { error: chain } = describeError(error);
    process.stderr.write(`tagpin: ${String(chain).replace(/^PinError: /, '')}\n`);
    process.exit(error.code === 'invalid_config' ? 2 : 1);
  }
}

await main(process.argv);
