import { quotedWord } from '../shell.ts';
import type { CommandShape, ValueShape } from './shape.ts';

/**
 * A script for bash, from 3.2 on, which needs nothing beside it. The names are those by which the
 * program is called.
 */
export function bashScript(program: CommandShape, names: readonly string[]): string {
  const commands = program.commands.map(({ name }) => name);
  const cases = [
    ...valueCases('', program),
    ...program.commands.flatMap((one) => valueCases(one.name, one)),
  ];
  return `# Completion of ${program.name} for bash.

_tagpin_files() {
  local found
  compopt -o filenames 2>/dev/null
  while IFS= read -r found; do COMPREPLY+=("$found"); done < <(compgen "$1" -- "$current")
}

_tagpin_words() {
  local found
  while IFS= read -r found; do COMPREPLY+=("$found"); done < <(compgen -W "$1" -- "$current")
}

_tagpin() {
  local current="\${COMP_WORDS[COMP_CWORD]}" previous="\${COMP_WORDS[COMP_CWORD-1]}" command='' word
  COMPREPLY=()
  # To bash, = is a word of its own.
  if [[ $current == '=' ]]; then current=''
  elif [[ $previous == '=' ]]; then previous="\${COMP_WORDS[COMP_CWORD-2]}"
  fi
  for word in "\${COMP_WORDS[@]:1:COMP_CWORD-1}"; do
    if [[ $word != -* && $word != '=' ]]; then command="$word"; break; fi
  done
  case "$command $previous" in
${cases.join('\n')}
  esac
  if [[ -z $command && $current != -* ]]; then
    _tagpin_words ${quotedWord([...commands, 'help'].join(' '))}
    return
  fi
  case "$command" in
${[program, ...program.commands].map((one) => wordCase(one === program ? '' : one.name, one)).join('\n')}
    help) _tagpin_words ${quotedWord(commands.join(' '))} ;;
  esac
}

complete -F _tagpin ${names.join(' ')}
`;
}

/** What an option's value may be, for each that takes one. */
function valueCases(command: string, { options }: CommandShape): string[] {
  return options.flatMap(({ names, value }) => {
    if (value === undefined) return [];
    const patterns = names.map((name) => quotedWord(`${command} ${name}`));
    return [`    ${patterns.join('|')}) ${offer(value)}return ;;`];
  });
}

/** Options where a word begins like one, and what else may stand there. */
function wordCase(command: string, { options, operands }: CommandShape): string {
  const flags = options.flatMap(({ names }) => names).join(' ');
  const operand = operands.map(({ value }) => offer(value)).find((action) => action !== '') ?? '';
  return `    ${quotedWord(command)}) if [[ $current == -* ]]; then _tagpin_words ${quotedWord(flags)}; else ${operand === '' ? ':; ' : operand}fi ;;`;
}

const LISTINGS: Readonly<Record<string, string>> = { files: '-f', directories: '-d' };

function offer({ choices, wants }: ValueShape): string {
  if (choices.length > 0) return `_tagpin_words ${quotedWord(choices.join(' '))}; `;
  return wants === undefined ? '' : `_tagpin_files ${LISTINGS[wants]}; `;
}
