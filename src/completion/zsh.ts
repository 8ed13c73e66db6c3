import { quotedWord } from '../shell.ts';
import type { CommandShape, OperandShape, OptionShape, ValueShape } from './shape.ts';

/** A script for zsh, to be sourced or to lie in a folder of `fpath` under the name `_tagpin`. */
export function zshScript(program: CommandShape, names: readonly string[]): string {
  const described = program.commands.map(
    ({ name, summary }) => `    ${quotedWord(`${name}:${escaped(summary, ':')}`)}`,
  );
  return `#compdef ${names.join(' ')}
# Completion of ${program.name} for zsh.

_tagpin() {
  local context state state_descr line
  typeset -A opt_args
  local -a commands
  commands=(
${described.join('\n')}
    'help:show the help of a command'
  )
  _arguments -C \\
${program.options.map((option) => `    ${optionSpec(option)} \\\n`).join('')}    '1: :->command' \\
    '*:: :->operands'
  case $state in
    command) _describe -t commands command commands ;;
    operands)
      case $line[1] in
${program.commands.map(commandCase).join('\n')}
        help) _describe -t commands command commands ;;
      esac ;;
  esac
}

if [[ $funcstack[1] == _tagpin ]]; then
  _tagpin "$@"
else
  compdef _tagpin ${names.join(' ')}
fi
`;
}

function commandCase({ name, options, operands }: CommandShape): string {
  const specs = [...options.map(optionSpec), ...operands.map(operandSpec)];
  return `        ${name}) _arguments -s ${specs.map((spec) => `\\\n          ${spec}`).join(' ')} ;;`;
}

/** As `_arguments` has it (zshcompsys(1)): `'(-o --format)'{-o+,--format=}'[how]:FORMAT:(a b)'`. */
function optionSpec({ names, summary, value, isRepeatable }: OptionShape): string {
  const written = value === undefined ? names : names.map(withValue);
  const meaning = `[${escaped(firstClause(summary), '[]')}]`;
  const said = value === undefined ? meaning : `${meaning}:${valueSpec(value)}`;
  const star = isRepeatable ? '*' : '';
  const [first = '', ...others] = written;
  return others.length === 0
    ? quotedWord(star + first + said)
    : `${quotedWord(star || `(${names.join(' ')})`)}{${written.join(',')}}${quotedWord(said)}`;
}

/** The rest, such as the default, is in the help. */
function firstClause(text: string): string {
  return text
    .split(/\. |; | \[TAGPIN_/, 1)
    .join()
    .replace(/\.$/, '');
}

/** `-o text` and `-otext`; `--format text` and `--format=text`. */
function withValue(name: string): string {
  return name.startsWith('--') ? `${name}=` : `${name}+`;
}

function operandSpec({ value, isVariadic }: OperandShape, index: number): string {
  return quotedWord(`${isVariadic ? '*' : index + 1}:${valueSpec(value)}`);
}

const LISTINGS: Readonly<Record<string, string>> = { files: '_files', directories: '_files -/' };

function valueSpec({ name, choices, wants }: ValueShape): string {
  const title = escaped(name, ':');
  if (choices.length > 0)
    return `${title}:(${choices.map((one) => escaped(one, ' ()')).join(' ')})`;
  return `${title}:${wants === undefined ? ' ' : LISTINGS[wants]}`;
}

/** Of a text what has a meaning in its place, and backslashes, behind a backslash. */
function escaped(text: string, characters: string): string {
  return ['\\', ...characters.split('')].reduce(
    (done, char) => done.replaceAll(char, `\\${char}`),
    text,
  );
}
