import { type Command, Option } from 'commander';

import type { ResolveFormat } from '../contents/resolve.ts';
import { PinError } from '../errors.ts';
import { parsePlatform } from '../image/platform.ts';
import type { ReferenceForm } from '../image/reference.ts';
import type { CommandParts } from './command-parts.ts';
import { addRegistryOptions, openRegistries } from './registry-options.ts';
import { SUMMARIES } from './summaries.ts';

interface Flags {
  readonly fromDaemon: boolean;
  readonly daemonSocket?: string;
  readonly platform?: string;
  readonly allPlatforms: boolean;
  readonly digestOnly: boolean;
  readonly referenceForm: ReferenceForm;
  readonly format: ResolveFormat;
}

const FORMATS: readonly ResolveFormat[] = ['text', 'json', 'yaml'];
const FORMS: readonly ReferenceForm[] = ['digest', 'tag-and-digest'];

const EXAMPLES = `
Examples:
  tagpin resolve nginx:1.27                     nginx@sha256:…
  tagpin resolve --digest-only nginx:1.27       sha256:…
  tagpin resolve --reference-form tag-and-digest nginx:1.27
  tagpin resolve --platform linux/arm64 nginx   what a node of this platform runs
  tagpin resolve --all-platforms nginx          nginx@sha256:… linux/amd64, and so on
  tagpin resolve -o json nginx redis ghcr.io/team/app:2
  tagpin resolve nginx@sha256:…                 see that the registry serves it
  tagpin resolve localhost:5000/app             plain http, as it is on loopback
  tagpin resolve --username me --password-stdin registry.example.com/app < password
  tagpin resolve --from-daemon nginx:1.27       as it was pulled or pushed on this machine
  tagpin resolve --from-daemon                  every image of this machine

A platform is chosen from an index as containerd does: linux/arm/v7 runs arm/v6 where there is no
arm/v7, linux/amd64 runs 386, and windows(10.0.20348)/amd64 is a version of Windows.

--from-daemon gives the digest by which an image was pulled or pushed, in the repository that is asked
for. An image that was built or loaded here has none; podman notes one for names it was only tagged
with, too. DOCKER_HOST may name a unix:// socket or an npipe://; docker's contexts are not read.

Exit codes: 0 all resolved, 1 an image that could not be, 2 a mistake in the command line.
`;

/** Adds `tagpin resolve`; what it runs is loaded when it runs. */
export function addResolveCommand(program: Command, parts: CommandParts): void {
  const command = program
    .command('resolve')
    .description(SUMMARIES.resolve)
    .argument('[IMAGE...]', 'images by tag, latest where there is none, or by digest')
    .addOption(
      new Option('--platform <OS/ARCH[/VARIANT]>', 'the manifest for this platform').conflicts(
        'allPlatforms',
      ),
    )
    .option('--all-platforms', 'the manifests for all platforms, one a line', false)
    .addOption(
      new Option('--digest-only', 'print digests alone').default(false).conflicts('referenceForm'),
    )
    .addOption(
      new Option('--reference-form <FORM>', 'repo@digest or repo:tag@digest')
        .choices(FORMS)
        .default('digest'),
    )
    .addOption(
      new Option('-o, --format <FORMAT>', 'how to report').choices(FORMATS).default('text'),
    )
    .addOption(
      new Option('--from-daemon', 'ask docker or podman on this machine, and no registry')
        .default(false)
        .conflicts(['platform', 'allPlatforms', 'username', 'passwordStdin', 'tokenStdin']),
    )
    .addOption(
      new Option(
        '--daemon-socket <PATH>',
        'where the daemon listens; otherwise DOCKER_HOST, or a usual place of docker or podman',
      ).implies({ fromDaemon: true }),
    )
    .addHelpText('after', EXAMPLES)
    .action(async (images: readonly string[], { allPlatforms, platform, ...flags }: Flags) => {
      if (flags.fromDaemon) {
        parts.end((await askDaemon(images, flags, parts)) ? 0 : 1);
        return;
      }
      if (images.length === 0) {
        const message =
          'missing required argument: name an image, or list those of this machine with --from-daemon';
        throw new PinError('invalid_config', message);
      }
      const one = platform === undefined ? undefined : parsePlatform(platform);
      const registries = await openRegistries(command, parts, images);
      const { runResolve } = await import('../contents/resolve.ts');
      const options = { ...flags, images, platform: allPlatforms ? 'all' : one } as const;
      parts.end((await runResolve(options, registries, parts.streams)) ? 0 : 1);
    });
  addRegistryOptions(command);
}

async function askDaemon(
  images: readonly string[],
  { daemonSocket, ...style }: Omit<Flags, 'platform' | 'allPlatforms'>,
  { environment, streams }: CommandParts,
): Promise<boolean> {
  const { runFromDaemon } = await import('../daemon/run.ts');
  const clues = { named: daemonSocket, environment, platform: process.platform };
  return runFromDaemon({ ...style, images, clues }, streams);
}
