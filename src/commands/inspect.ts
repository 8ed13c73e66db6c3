import { type Command, Option } from 'commander';

import type { InspectFormat } from '../contents/inspect.ts';
import type { Extent } from '../contents/picture.ts';
import { parsePlatform } from '../image/platform.ts';
import type { CommandParts } from './command-parts.ts';
import { addRegistryOptions, openRegistries } from './registry-options.ts';
import { SUMMARIES } from './summaries.ts';

interface Flags {
  readonly platform?: string;
  readonly allPlatforms: boolean;
  readonly format: InspectFormat;
}

const FORMATS: readonly InspectFormat[] = ['text', 'json', 'yaml'];

const EXAMPLES = `
Examples:
  tagpin inspect nginx:1.27                     all platforms, and linux/amd64 in full
  tagpin inspect --platform linux/arm64 nginx:1.27
  tagpin inspect nginx@sha256:…                 by digest: of an index or a manifest, of a config
                                                (an image ID) or of a layer, and says which
  tagpin inspect -o json nginx | jq -r '.details[0].config.environment[]'
  tagpin layers --list 1 nginx                  the files of a layer

Of an index, linux/amd64 is shown in full, on any machine, or the first where it has none. For the
sizes of an index, the manifest of each platform is read, which Docker Hub counts as pulls; with
--platform, that of one alone. Sizes are those of layers as a registry stores them. Of a layer nothing
but its beginning is read, so that it is not known whether it has its digest: tagpin blob tells that.

Exit codes: 0 all read, 1 something could not be, 2 a mistake in the command line.
`;

/** Adds `tagpin inspect`; what it runs is loaded when it runs. */
export function addInspectCommand(program: Command, parts: CommandParts): void {
  const command = program
    .command('inspect')
    .description(SUMMARIES.inspect)
    .argument('<IMAGE>', 'an image by tag or digest')
    .option('--platform <OS/ARCH[/VARIANT]>', 'show this platform of an index alone')
    .addOption(
      new Option('--all-platforms', 'show each platform of an index in full')
        .default(false)
        .conflicts('platform'),
    )
    .addOption(
      new Option('-o, --format <FORMAT>', 'how to report').choices(FORMATS).default('text'),
    )
    .addHelpText('after', EXAMPLES)
    .action(async (image: string, flags: Flags) => {
      const extent = extentOf(flags);
      const registries = await openRegistries(command, parts, [image]);
      const { runInspect } = await import('../contents/inspect.ts');
      const { format } = flags;
      const isWhole = await runInspect({ image, extent, format }, registries, parts.streams);
      parts.end(isWhole ? 0 : 1);
    });
  addRegistryOptions(command);
}

function extentOf({ platform, allPlatforms }: Flags): Extent {
  if (platform !== undefined) return { platform: parsePlatform(platform) };
  return allPlatforms ? 'all' : 'one';
}
