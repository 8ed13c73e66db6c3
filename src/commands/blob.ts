import type { Command } from 'commander';

import type { CommandParts } from './command-parts.ts';
import { addRegistryOptions, openRegistries } from './registry-options.ts';
import { SUMMARIES } from './summaries.ts';

const EXAMPLES = `
Examples:
  tagpin blob nginx@sha256:… > layer.tar.gz
  tagpin blob ghcr.io/team/app@sha256:… | tar -tz
  tagpin manifest --platform linux/amd64 nginx | jq -r '.layers[].digest'

The bytes are written as they come, and their digest is known at the end: what was written is good
when the exit code is 0. Where the reader stops before the end, as head does, it is 1. On a terminal,
control characters are escaped, here as with tagpin manifest and tagpin config.

Exit codes: 0 done, 1 it could not be had or has not its digest, 2 a mistake in the command line.
`;

/** Adds `tagpin blob`; what it runs is loaded when it runs. */
export function addBlobCommand(program: Command, parts: CommandParts): void {
  const command = program
    .command('blob')
    .description(SUMMARIES.blob)
    .argument('<REPO@DIGEST>', 'a repository and the digest of something in it')
    .addHelpText('after', EXAMPLES)
    .action(async (image: string) => {
      const { digestOf, printBlob } = await import('../contents/raw.ts');
      const digest = digestOf(image);
      const registries = await openRegistries(command, parts, [image]);
      parts.end((await printBlob({ image, digest }, registries, parts.streams)) ? 0 : 1);
    });
  addRegistryOptions(command);
}
