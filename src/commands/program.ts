import { Command } from 'commander';

import type { AuditCommandParts } from './audit.ts';
import type { CommandParts } from './command-parts.ts';
import type { DoctorCommandParts } from './doctor.ts';
import type { ExplainCommandParts } from './explain.ts';
import { HELP_LAYOUT } from './help-layout.ts';
import type { OnboardCommandParts } from './onboard.ts';
import type { ServeCommandParts } from './serve-command.ts';
import { type CommandName, isCommandName, SUMMARIES } from './summaries.ts';

/** What the commands need of the process. */
export interface ProgramParts
  extends CommandParts,
    AuditCommandParts,
    DoctorCommandParts,
    ExplainCommandParts,
    OnboardCommandParts,
    ServeCommandParts {
  /** As it is called: `tagpin`, or `kubectl tagpin`. */
  readonly name: string;
  /** Called where commander has told what is wrong with a command line, or has shown its help. */
  readonly exit: (exitCode: number) => never;
}

type AddCommand = (program: Command, parts: ProgramParts) => Promise<void>;

/** Each with its own options: fifteen of them take as long to load as the process takes to start. */
const COMMANDS: Readonly<Record<CommandName, AddCommand>> = {
  serve: async (...to) => (await import('./serve-command.ts')).addServeCommand(...to),
  resolve: async (...to) => (await import('./resolve.ts')).addResolveCommand(...to),
  tags: async (...to) => (await import('./tags.ts')).addTagsCommand(...to),
  inspect: async (...to) => (await import('./inspect.ts')).addInspectCommand(...to),
  layers: async (...to) => (await import('./layers.ts')).addLayersCommand(...to),
  manifest: async (...to) => (await import('./manifest.ts')).addManifestCommand(...to),
  config: async (...to) => (await import('./config.ts')).addConfigCommand(...to),
  blob: async (...to) => (await import('./blob.ts')).addBlobCommand(...to),
  pin: async (...to) => (await import('./pin.ts')).addPinCommand(...to),
  check: async (...to) => (await import('./check.ts')).addCheckCommand(...to),
  fn: async (...to) => (await import('./fn.ts')).addFnCommand(...to),
  audit: async (...to) => (await import('./audit.ts')).addAuditCommand(...to),
  onboard: async (...to) => (await import('./onboard.ts')).addOnboardCommand(...to),
  explain: async (...to) => (await import('./explain.ts')).addExplainCommand(...to),
  doctor: async (...to) => (await import('./doctor.ts')).addDoctorCommand(...to),
  completion: async (...to) => (await import('./completion.ts')).addCompletionCommand(...to),
};

/** What makes sense of the whole program alone. */
const NEEDS_ALL: ReadonlySet<CommandName> = new Set(['completion']);

/**
 * The program for one command line, all commands of which it lists: the one that is called has its
 * options, the others are names.
 *
 * @param words what follows the name of the program; undefined: all commands have their options
 */
export async function createProgram(
  parts: ProgramParts,
  words?: readonly string[],
): Promise<Command> {
  const program: Command = new Command(parts.name)
    .description(
      'Pins image tags to digests: a Kubernetes admission webhook, and its command line.',
    )
    .version(parts.version)
    .configureHelp(HELP_LAYOUT)
    .configureOutput({
      writeOut: (text) => void process.stdout.write(asCalled(text, parts, program)),
      // As every other mistake is told.
      outputError: (text, write) => write(text.replace(/^error: /, 'tagpin: ') + hintTo(text)),
    })
    // A mistake in the command line ends like one in a setting.
    .exitOverride(({ exitCode }) => parts.exit(exitCode === 0 ? 0 : 2));
  const called = words && calledBy(words);
  const isWhole = words === undefined || (called !== undefined && NEEDS_ALL.has(called));
  for (const name of Object.keys(SUMMARIES).filter(isCommandName)) {
    if (isWhole || name === called) {
      // oxlint-disable-next-line no-await-in-loop -- the help has them in this order
      await COMMANDS[name](program, parts);
    } else program.command(name).description(SUMMARIES[name]);
  }
  const [first, topic] = words ?? [];
  if (first === 'help' && topic !== undefined && !topic.startsWith('-') && !hasHelp(topic)) {
    program.error(`error: unknown command '${topic}'`);
  }
  return program;
}

function hasHelp(topic: string): boolean {
  return topic === 'help' || isCommandName(topic);
}

/** What other programs call it. */
function hintTo(mistake: string): string {
  const isOfVersion = /unknown (?:command 'version'|option '-v')\n/.test(mistake);
  return isOfVersion ? '(Did you mean tagpin --version?)\n' : '';
}

/** The command of `tagpin COMMAND …` and of `tagpin help COMMAND`: the program has no options before it. */
function calledBy(words: readonly string[]): CommandName | undefined {
  const [first, second] = words.filter((word) => !word.startsWith('-'));
  const called = first === 'help' ? second : first;
  return called !== undefined && isCommandName(called) ? called : undefined;
}

/** Examples are written for whoever calls `tagpin`. */
function asCalled(help: string, { name: called }: ProgramParts, program: Command): string {
  if (called === 'tagpin') return help;
  const commands = program.commands.map((command) => command.name()).join('|');
  const call = new RegExp(`(?<!kubectl )\\btagpin (?=(?:${commands})\\b)`, 'g');
  return help.replaceAll(call, `${called} `);
}
