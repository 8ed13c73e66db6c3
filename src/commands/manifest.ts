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
  tagpin manifest nginx:1.27                    the index, where there is one
  tagpin manifest --platform linux/arm64 nginx  the manifest for this platform
  tagpin manifest nginx@sha256:…                whatever has this digest
  tagpin manifest nginx | sha256sum             its digest, as the bytes are those of the registry

Exit codes: 0 done, 1 it could not be had or has not its digest, 2 a mistake in the command line.
`;

/** Adds `tagpin manifest`; what it runs is loaded when it runs. */
export function addManifestCommand(program: Command, parts: CommandParts): void {
  const command = program
    .command('manifest')
    .description(SUMMARIES.manifest)
    .argument('<IMAGE>', 'by tag, latest where there is none, or by digest')
    .option('--platform <OS/ARCH[/VARIANT]>', 'that for this platform, as containerd chooses it')
    .addHelpText('after', EXAMPLES)
    .action(async (image: string, flags: Flags) => {
      const platform = flags.platform === undefined ? undefined : parsePlatform(flags.platform);
      const registries = await openRegistries(command, parts, [image]);
      const { printManifest } = await import('../contents/raw.ts');
      parts.end((await printManifest({ image, platform }, registries, parts.streams)) ? 0 : 1);
    });
  addRegistryOptions(command);
}
