import { type Command, Option } from 'commander';

import type { TagFormat } from '../contents/tag-report.ts';
import { PinError } from '../errors.ts';
import { parseReference, spelledName } from '../image/reference.ts';
import type { CommandParts } from './command-parts.ts';
import { addRegistryOptions, openRegistries } from './registry-options.ts';
import { SUMMARIES } from './summaries.ts';

interface Flags {
  readonly long: boolean;
  readonly format: TagFormat;
}

const FORMATS: readonly TagFormat[] = ['text', 'json', 'yaml'];

const EXAMPLES = `
Examples:
  tagpin tags nginx                             every tag, in the order of the registry
  tagpin tags nginx@sha256:…                    the tags that name this digest now
  tagpin tags -l gcr.io/google-containers/pause  digests, times and sizes too
  tagpin tags -o json -l ghcr.io/team/app | jq -r '.tags[] | .tag + " " + .digest'
  tagpin resolve nginx:1.27                     the digest of one tag

Google's registries tell of digests, times, sizes and digests without a tag in the list itself. Any
other is asked for the digest of each tag, 16 at a time, where a digest is given and with --long.

Exit codes: 0 all listed, 1 a tag that could not be looked up or a digest that no tag names,
2 a mistake in the command line.
`;

/** Adds `tagpin tags`; what it runs is loaded when it runs. */
export function addTagsCommand(program: Command, parts: CommandParts): void {
  const command = program
    .command('tags')
    .description(SUMMARIES.tags)
    .argument('<REPO[@DIGEST]>', 'a repository, as in an image reference without its tag')
    .option(
      '-l, --long',
      'digests as well; times, sizes and digests without a tag where told',
      false,
    )
    .addOption(
      new Option('-o, --format <FORMAT>', 'how to report').choices(FORMATS).default('text'),
    )
    .addHelpText('after', EXAMPLES)
    .action(async (text: string, { long, format }: Flags) => {
      const { digest } = untagged(text);
      const registries = await openRegistries(command, parts, [text]);
      const { runTags } = await import('../contents/tags.ts');
      const query = { repository: spelledName(text), digest, details: long };
      parts.end((await runTags({ ...query, format }, registries, parts.streams)) ? 0 : 1);
    });
  addRegistryOptions(command);
}

function untagged(text: string): ReturnType<typeof parseReference> {
  const reference = parseReference(text);
  if (reference.tag === undefined) return reference;
  const name = spelledName(text);
  const message = `"${text}" has a tag; list the tags of the repository with "tagpin tags ${name}", those of a digest with "tagpin tags ${name}@DIGEST", or find the digest of a tag with "tagpin resolve ${name}:${reference.tag}"`;
  throw new PinError('invalid_config', message);
}
