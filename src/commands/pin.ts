import { type Command, Option } from 'commander';
import { SERVE_SETTINGS, type ServeSettings } from '../config.ts';
import type { ReferenceForm } from '../image/reference.ts';
import type { DigestOf } from '../pin/plan.ts';
import type { PinFormat, PinOptions } from '../pin/usage.ts';
import type { Settings } from '../settings/setting.ts';
import type { CommandParts } from './command-parts.ts';
import { addManifestOptions, repeatable } from './manifest-options.ts';
import { addRegistryOptions, openRegistries, refuseSecretInput } from './registry-options.ts';
import { addSettings, settingsOf } from './settings.ts';
import { SUMMARIES } from './summaries.ts';

interface Flags extends Omit<PinOptions, 'paths' | 'skip' | 'output' | 'lock'> {
  readonly output?: string;
  readonly lock?: string;
}

const FORMATS: readonly PinFormat[] = ['text', 'json', 'yaml'];
const FORMS: readonly ReferenceForm[] = ['digest', 'tag-and-digest'];

const EXAMPLES = `
Examples:
  tagpin pin deploy/                            rewrite the images of all manifests, nothing else
  tagpin pin --dry-run deploy/                  show what would change
  tagpin pin --comment deploy/                  nginx@sha256:… # nginx:1.27
  tagpin pin --update deploy/                   look up the kept tags again
  tagpin pin --lock tagpin.lock --output out/ deploy/
  tagpin pin --lock tagpin.lock --check deploy/
  tagpin pin --from build.json deploy/          digests of a build, and no registry
  pack build web --publish --quiet | tagpin pin --from - deploy/
  tagpin pin --set ghcr.io/team/app=sha256:… deploy/
  helm template . | tagpin pin - | kubectl apply -f -

With --from or --set no registry is asked: an image that no entry fits stays as it is, is counted as
"unmatched", and fails nothing, and neither does an entry that fits no image. See that all are pinned
with tagpin check --strict. A file of which an image fails stays as it was, with all of its images.

Exit codes: 0 done, 1 an image failed, a file could not be written or a checked lock lags, 2 a mistake in
the command line.
`;

/** The images for which no registry is asked. */
const SETTINGS: Settings<Pick<ServeSettings, 'skip'>> = { skip: SERVE_SETTINGS.skip };

/** Adds `tagpin pin`; what it runs is loaded when it runs. */
export function addPinCommand(program: Command, parts: Omit<CommandParts, 'version'>): void {
  const command = program.command('pin').description(SUMMARIES.pin);
  addManifestOptions(command)
    .option('--dry-run', 'print a unified diff, and write nothing', false)
    .option('--output <DIR>', 'write all files here, in place of changing them')
    .addOption(
      new Option('--reference-form <FORM>', 'repo@digest or repo:tag@digest')
        .choices(FORMS)
        .default('digest'),
    )
    .option('--comment', 'keep the tag in a comment behind the image', false)
    .option('--update', 'look up again what carries a digest, by the tag that was kept', false)
    .addOption(
      repeatable(
        '--from <FILE>',
        'take digests from a Cloud Build result, lines of name@digest, or a lock',
      ),
    )
    .addOption(repeatable('--set <REPO[:TAG]=DIGEST>', 'take this digest'))
    .option('--from-any-tag', 'let entries without a tag pin every tag of their repository', false)
    .option('--lock <FILE>', 'take digests from this lock, and write new ones to it')
    .option('--check', 'with --lock: write nothing, and fail where the lock lags', false)
    .addOption(
      new Option('-o, --format <FORMAT>', 'how to report').choices(FORMATS).default('text'),
    )
    .addHelpText('after', EXAMPLES)
    .action(async (paths: readonly string[], flags: Flags) => {
      const { output, lock, ...others } = flags;
      const { skip } = settingsOf(command, SETTINGS, parts.environment);
      if ([...paths, ...flags.from].includes('-')) refuseSecretInput(command);
      const { runPin } = await import('../pin/run.ts');
      const open = async (): Promise<DigestOf> => {
        const { resolve } = await openRegistries(command, parts, []);
        return async (image) => (await resolve(image)).digest;
      };
      const { streams, uninterrupted } = parts;
      const ports = { streams, openRegistries: open, uninterrupted };
      const done = await runPin({ ...others, paths, output, lock, skip }, ports);
      parts.end(done ? 0 : 1);
    });
  addRegistryOptions(command);
  addSettings(command, SETTINGS);
}
