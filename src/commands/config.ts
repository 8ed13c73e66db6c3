import type { Command } from 'commander';

import { parsePlatform } from '../image/platform.ts';
import type { CommandParts } from './command-parts.ts';
import { addRegistryOptions, openRegistries } from './registry-options.ts';
import { SUMMARIES } from './summaries.ts';

interface Flags {
  readonly platform?: string;
}

const EXAMPLES = `
Examples:
  tagpin config nginx:1.27 | jq .config.Env
  tagpin config --platform linux/arm64 nginx
  tagpin config nginx@sha256:… | sha256sum      the image ID that docker and crictl show

Of an index without --platform the config for linux/amd64 is printed, on any machine.

Exit codes: 0 done, 1 it could not be had or has not its digest, 2 a mistake in the command line.
`;

/** Adds `tagpin config`; what it runs is loaded when it runs. */
export function addConfigCommand(program: Command, parts: CommandParts): void {
  const command = program
    .command('config')
    .description(SUMMARIES.config)
    .argument('<IMAGE>', 'by tag, latest where there is none, or by digest')
    .option('--platform <OS/ARCH[/VARIANT]>', 'that for this platform, as containerd chooses it')
    .addHelpText('after', EXAMPLES)
    .action(async (image: string, flags: Flags) => {
      const platform = flags.platform === undefined ? undefined : parsePlatform(flags.platform);
      const registries = await openRegistries(command, parts, [image]);
      const { printConfig } = await import('../contents/raw.ts');
      parts.end((await printConfig({ image, platform }, registries, parts.streams)) ? 0 : 1);
    });
  addRegistryOptions(command);
}
