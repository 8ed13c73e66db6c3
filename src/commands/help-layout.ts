import type { Help, HelpConfiguration } from 'commander';

const INDENT = '  ';
/** Of the flags: longer ones have their text below them, for the longest would leave it no room. */
const MAX_TERM_CHARS = 26;

/** How `--help` looks: in two columns, of which that of the texts is wrapped. */
export const HELP_LAYOUT: HelpConfiguration = {
  // The columns of a terminal that is narrower still would be of single words.
  minWidthToWrap: 20,
  padWidth: (command, helper) =>
    Math.min(
      MAX_TERM_CHARS,
      Math.max(
        helper.longestOptionTermLength(command, helper),
        helper.longestSubcommandTermLength(command, helper),
        helper.longestArgumentTermLength(command, helper),
      ),
    ),
  formatItem: (...[term, termWidth, text, helper]: Parameters<Help['formatItem']>) => {
    const column = ' '.repeat(INDENT.length + termWidth + INDENT.length);
    const width = (helper.helpWidth ?? 80) - column.length;
    const wrapped = helper.boxWrap(text, width).replaceAll('\n', `\n${column}`);
    if (term.length > termWidth) return `${INDENT}${term}\n${column}${wrapped}`;
    return `${INDENT}${term.padEnd(termWidth)}${INDENT}${wrapped}`.trimEnd();
  },
};
