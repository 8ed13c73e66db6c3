import { Command } from 'commander';

import { SERVE_SETTINGS, type ServeSettings } from '../config.ts';
import { type AuditCommandParts, addAuditCommand } from './audit.ts';
import { addBlobCommand } from './blob.ts';
import { addCheckCommand } from './check.ts';
import type { CommandParts } from './command-parts.ts';
import { addCompletionCommand } from './completion.ts';
import { addConfigCommand } from './config.ts';
import { addExplainCommand, type ExplainCommandParts } from './explain.ts';
import { addFnCommand } from './fn.ts';
import { addInspectCommand } from './inspect.ts';
import { addLayersCommand } from './layers.ts';
import { addManifestCommand } from './manifest.ts';
import { addOnboardCommand, type OnboardCommandParts } from './onboard.ts';
import { addPinCommand } from './pin.ts';
import { addResolveCommand } from './resolve.ts';
import { addSettings, settingsOf } from './settings.ts';
import { addTagsCommand } from './tags.ts';

/** What the commands need of the process. */
export interface ProgramParts
  extends CommandParts,
    AuditCommandParts,
    ExplainCommandParts,
    OnboardCommandParts {
  /** As it is called: `tagpin`, or `kubectl tagpin`. */
  readonly name: string;
  readonly serve: (settings: ServeSettings) => Promise<void>;
  /** Called where commander has told what is wrong with a command line, or has shown its help. */
  readonly exit: (exitCode: number) => never;
}

/** All commands, none of which has loaded what it runs. */
export function createProgram(parts: ProgramParts): Command {
  const program: Command = new Command(parts.name)
    .description(
      'Pins image tags to digests: a Kubernetes admission webhook, and its command line.',
    )
    .version(parts.version)
    .configureOutput({
      writeOut: (text) => void process.stdout.write(asCalled(text, parts, program)),
    })
    // A mistake in the command line ends like one in a setting.
    .exitOverride(({ exitCode }) => parts.exit(exitCode === 0 ? 0 : 2));
  addServeCommand(program, parts);
  addResolveCommand(program, parts);
  addTagsCommand(program, parts);
  addInspectCommand(program, parts);
  addLayersCommand(program, parts);
  addManifestCommand(program, parts);
  addConfigCommand(program, parts);
  addBlobCommand(program, parts);
  addPinCommand(program, parts);
  addCheckCommand(program, parts);
  addFnCommand(program, parts);
  addAuditCommand(program, parts);
  addOnboardCommand(program, parts);
  addExplainCommand(program, parts);
  addCompletionCommand(program, parts);
  return program;
}

/** Examples are written for whoever calls `tagpin`. */
function asCalled(help: string, { name: called }: ProgramParts, program: Command): string {
  if (called === 'tagpin') return help;
  const commands = program.commands.map((command) => command.name()).join('|');
  const call = new RegExp(`(?<!kubectl )\\btagpin (?=(?:${commands})\\b)`, 'g');
  return help.replaceAll(call, `${called} `);
}

function addServeCommand(program: Command, { serve, environment }: ProgramParts): void {
  const command = program
    .command('serve')
    .description('Answer admission reviews at /admission/pin, /admission/enforce, /admission/warn.')
    .action(() => serve(settingsOf(command, SERVE_SETTINGS, environment)));
  addSettings(command, SERVE_SETTINGS);
}
