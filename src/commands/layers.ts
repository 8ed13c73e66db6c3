import { type Command, InvalidArgumentError, Option } from 'commander';

import type { LayersFormat } from '../contents/layer-file-report.ts';
import { parsePlatform } from '../image/platform.ts';
import type { CommandParts } from './command-parts.ts';
import { addRegistryOptions, openRegistries } from './registry-options.ts';
import { SUMMARIES } from './summaries.ts';

interface Flags {
  readonly list?: number;
  readonly long: boolean;
  readonly platform?: string;
  readonly format: LayersFormat;
}

const FORMATS: readonly LayersFormat[] = ['text', 'json', 'yaml'];

const EXAMPLES = `
Examples:
  tagpin layers nginx:1.27                      number, size, digest and origin of each layer
  tagpin layers --list 1 nginx:1.27             the files of the first, as tar -t lists them
  tagpin layers --list 1 --long nginx           with modes, owners, sizes and times (UTC)
  tagpin layers --platform linux/arm64 nginx
  tagpin layers -o json nginx | jq -r '.layers[].digest'

Of an index without --platform the layers for linux/amd64 are listed, on any machine. Files are listed
as they come. Whether the bytes of the layer have its digest is known at the end: if they have not, the
exit code is 1. It is 1, too, where the reader stops before the end, as head does.

Exit codes: 0 done, 1 it could not be read or has not its digest, 2 a mistake in the command line.
`;

/** Adds `tagpin layers`; what it runs is loaded when it runs. */
export function addLayersCommand(program: Command, parts: CommandParts): void {
  const command = program
    .command('layers')
    .description(SUMMARIES.layers)
    .argument('<IMAGE>', 'an image by tag or digest')
    .option('--list <N>', 'list the files of layer N', parseNumber)
    .option('--long', 'tell modes, owners, sizes and times of files', false)
    .option('--platform <OS/ARCH[/VARIANT]>', 'those for this platform, as containerd chooses it')
    .addOption(
      new Option('-o, --format <FORMAT>', 'how to report').choices(FORMATS).default('text'),
    )
    .addHelpText('after', EXAMPLES)
    .action(async (image: string, { list, long, format, ...flags }: Flags) => {
      const platform = flags.platform === undefined ? undefined : parsePlatform(flags.platform);
      const registries = await openRegistries(command, parts, [image]);
      const { runLayers } = await import('../contents/layers.ts');
      const options = { image, platform, list, long, format };
      parts.end((await runLayers(options, registries, parts.streams)) ? 0 : 1);
    });
  addRegistryOptions(command);
}

function parseNumber(text: string): number {
  const number = Number(text);
  if (Number.isInteger(number) && number >= 1) return number;
  throw new InvalidArgumentError('layers are counted from 1.');
}
