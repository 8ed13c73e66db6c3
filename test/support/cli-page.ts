import { writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

import type { Argument, Command, Option } from 'commander';

import { createProgram } from '../../src/commands/program.ts';
import { choicesOf } from '../../src/commands/settings.ts';
import { idleParts } from './idle-parts.ts';

/** Options that so many commands have in the same words are told of once. */
const MANY = 4;

/** All commands, of which none is to be run. */
async function everyCommand(): Promise<readonly Command[]> {
  return (await createProgram(idleParts())).commands;
}

/** The page `docs/cli.md`, made of the commands themselves. */
export async function cliPage(): Promise<string> {
  const commands = await everyCommand();
  const shared = sharedOptions(commands);
  const serve = commands.find((command) => command.name() === 'serve');
  const settings = new Set(serve?.options.map(textOf));
  const pages = commands.map((command) => commandPage(command, { shared, settings }));
  return `${HEAD}
${commands.map((one) => `| [\`${one.name()}\`](#tagpin-${one.name()}) | ${one.description()} |`).join('\n')}

${pages.join('\n')}
## Options of registries

Of all commands above that name them, and with the environment variable in brackets where there is one.

${optionTable([...shared.values()])}`;
}

const HEAD = `# The command line

\`tagpin COMMAND [OPTION…] [OPERAND…]\`; as a plugin of kubectl, where a file \`kubectl-tagpin\` is in the path, \`kubectl tagpin COMMAND …\`.
Each command has this text in its \`--help\`. Results go to standard output, everything else to standard error; colours and progress are
for terminals alone (NO_COLOR, FORCE_COLOR and TERM are heeded). What each command is for: [digests](digests.md).

This page is made of the commands by \`npm run docs:cli\`: what is wrong here is wrong there.

| command | |
|---|---|`;

/** By their text, in the order of their first command. */
function sharedOptions(commands: readonly Command[]): ReadonlyMap<string, Option> {
  const all = commands.filter((one) => one.name() !== 'serve').flatMap(({ options }) => options);
  const counts = new Map<string, number>();
  for (const option of all) counts.set(textOf(option), (counts.get(textOf(option)) ?? 0) + 1);
  const many = all.filter(
    (option) => (counts.get(textOf(option)) ?? 0) >= MANY && option.short !== '-o',
  );
  return new Map(many.map((option) => [textOf(option), option]));
}

function textOf({ flags, description }: Option): string {
  return `${flags} ${description}`;
}

interface Elsewhere {
  readonly shared: ReadonlyMap<string, Option>;
  /** Texts of options that the page of settings has. */
  readonly settings: ReadonlySet<string>;
}

function commandPage(command: Command, { shared, settings }: Elsewhere): string {
  const serves = command.name() === 'serve';
  const isShared = (option: Option): boolean => !serves && shared.has(textOf(option));
  const isSetting = (option: Option): boolean => settings.has(textOf(option)) && !isShared(option);
  const { options } = command;
  const own = options.filter((option) => !isShared(option) && !isSetting(option));
  const parts = [
    `## tagpin ${command.name()}\n`,
    `${command.description()}\n`,
    `\`\`\`text\ntagpin ${command.name()} ${command.usage()}\n\`\`\`\n`,
    ...(command.registeredArguments.length > 0 ? [operandTable(command.registeredArguments)] : []),
    ...(own.length > 0 ? [optionTable(own)] : []),
    ...also(
      '[options of registries](#options-of-registries)',
      options.filter(isShared),
      shared.size,
    ),
    ...also(
      '[settings of the webhook](configuration.md)',
      options.filter(isSetting),
      settings.size,
    ),
    ...afterHelp(command),
  ];
  return parts.join('\n');
}

function operandTable(operands: readonly Argument[]): string {
  const rows = operands.map((one) => `| ${code(one.name())} | ${cell(operandText(one))} |\n`);
  return `| operand | |\n|---|---|\n${rows.join('')}`;
}

function operandText({ description, argChoices }: Argument): string {
  return argChoices === undefined ? description : `${description}: ${listOf(argChoices)}`;
}

function optionTable(options: readonly Option[]): string {
  const rows = options.map((one) => `| ${code(one.flags)} | ${cell(optionText(one))} |\n`);
  return `| option | |\n|---|---|\n${rows.join('')}`;
}

function optionText(option: Option): string {
  const { description, defaultValue } = option;
  const choices = option.argChoices === undefined ? [] : choicesOf(option);
  const standard: unknown = defaultValue;
  return [
    description,
    ...(choices.length > 0 ? [`: ${listOf(choices)}`] : []),
    ...(typeof standard === 'string' && standard !== '' ? [` (default ${code(standard)})`] : []),
  ].join('');
}

function listOf(choices: readonly string[]): string {
  return choices.map(code).join(', ');
}

/** Those that are told of elsewhere, by name where they are not all. */
function also(what: string, options: readonly Option[], all: number): string[] {
  if (options.length === 0) return [];
  if (options.length === all) return [`And the ${what}.\n`];
  const names = options.map(({ long, flags }) => code(long ?? flags)).join(', ');
  return [`And of the ${what}: ${names}.\n`];
}

/** Examples, and what else the help says behind the options. */
function afterHelp(command: Command): string[] {
  let help = '';
  command.configureOutput({ writeOut: (text) => (help += text), getOutHelpWidth: () => 80 });
  command.outputHelp();
  const after = help.slice(command.helpInformation().length).trim();
  return after === '' ? [] : [`\`\`\`text\n${after}\n\`\`\`\n`];
}

function code(text: string): string {
  return `\`${cell(text)}\``;
}

/** A table has its own meaning for the bar. */
function cell(text: string): string {
  return text.replaceAll('|', '\\|');
}

if (import.meta.main) {
  writeFileSync(fileURLToPath(new URL('../../docs/cli.md', import.meta.url)), await cliPage());
}
