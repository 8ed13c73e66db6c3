import { Argument, type Command } from 'commander';

import type { CommandParts } from './command-parts.ts';
import { commandShape } from './command-shape.ts';
import { SUMMARIES } from './summaries.ts';

const EXAMPLES = `
Examples:
  source <(tagpin completion bash)              in ~/.bashrc
  source <(tagpin completion zsh)               in ~/.zshrc, behind compinit
  tagpin completion zsh > "\${fpath[1]}/_tagpin"  once, in place of that

It completes commands, flags, what is to be chosen from, and files where files are wanted.
`;

/** How the program may be called: its own name, and that under which kubectl finds it. */
const NAMES = ['tagpin', 'kubectl-tagpin'];

/** Adds `tagpin completion`, for all commands that the program has in the end. */
export function addCompletionCommand(
  program: Command,
  { streams }: Pick<CommandParts, 'streams'>,
): void {
  program
    .command('completion')
    .description(SUMMARIES.completion)
    .addArgument(new Argument('<SHELL>', 'the shell').choices(['bash', 'zsh']))
    .addHelpText('after', EXAMPLES)
    .action(async (shell: 'bash' | 'zsh') => {
      const [{ bashScript }, { zshScript }] = await Promise.all([
        import('../completion/bash.ts'),
        import('../completion/zsh.ts'),
      ]);
      const write = shell === 'bash' ? bashScript : zshScript;
      await streams.out(write(commandShape(program), NAMES));
    });
}
