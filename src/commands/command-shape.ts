import type { Argument, Command, Option } from 'commander';

import type { CommandShape, OperandShape, OptionShape, ValueShape } from '../completion/shape.ts';
import { choicesOf } from './settings.ts';

/** What a shell, or a page, has to know of a command and of those below it. */
export function commandShape(command: Command): CommandShape {
  const help = command.createHelp();
  return {
    name: command.name(),
    summary: command.description(),
    options: help.visibleOptions(command).map(optionShape),
    operands: command.registeredArguments.map(operandShape),
    commands: command.commands.map(commandShape),
  };
}

function optionShape(option: Option): OptionShape {
  const { short, long, description, flags } = option;
  const [, name] = /[<[](.+)[>\]]$/.exec(flags) ?? [];
  return {
    names: [short, long].filter((one) => one !== undefined),
    summary: description,
    value: name === undefined ? undefined : valueShape(name, choicesOf(option)),
    // Those that gather have their empty list from the start.
    isRepeatable: Array.isArray(option.defaultValue),
  };
}

function operandShape(argument: Argument): OperandShape {
  const { variadic } = argument;
  return {
    value: valueShape(argument.name(), argument.argChoices ?? []),
    isVariadic: variadic,
  };
}

function valueShape(name: string, choices: readonly string[]): ValueShape {
  const words = name.split('|');
  const wantsFiles = words.includes('FILE');
  const wantsDirectories = words.some((word) => /^DIR(?:ECTOR(?:Y|IES))?$/.test(word));
  const wants = wantsFiles ? 'files' : wantsDirectories ? 'directories' : undefined;
  return { name, choices, wants };
}
