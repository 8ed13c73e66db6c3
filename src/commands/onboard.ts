import { type Command, Option } from 'commander';

import { PinError } from '../errors.ts';
import type { OnboardFormat, OnboardPorts } from '../onboard/run.ts';
import type { CommandParts } from './command-parts.ts';
import { ONBOARD_SETTINGS, type OnboardSettings } from './onboard-settings.ts';
import { addSettings, settingsOf } from './settings.ts';
import { SUMMARIES } from './summaries.ts';

/** What `onboard` needs of the process. */
export interface OnboardCommandParts extends Pick<CommandParts, 'streams' | 'environment' | 'end'> {
  /** What decides and looks up as the webhook does. Rejects with `invalid_config`. */
  readonly openOnboard: (
    settings: OnboardSettings,
    namespace: string,
  ) => Promise<Pick<OnboardPorts, 'cluster' | 'openEngine'>>;
}

interface Flags {
  readonly format: OnboardFormat;
}

const FORMATS: readonly OnboardFormat[] = ['text', 'json', 'yaml'];
/** As the manifests have them: no label makes the webhook be called there. */
const NEVER_CALLED: ReadonlySet<string> = new Set(['kube-system', 'kube-node-lease']);

const EXAMPLES = `
Examples:
  tagpin onboard shop --dry-run
  tagpin onboard shop --dry-run -o json
  tagpin onboard shop --dry-run --allow-registry '*.corp.example:5000'

What it tells of a namespace that is to be labelled with tagpin.dev/mode:
  what stays as it is, which is all that runs
  what the next rollout of each workload and its next Pods get, as its tags are now; which Pods run
    something else, because their tag has moved since, and whether the registry has that still
  what cannot be resolved now, by reason, with what to do
  the registries that the webhook must be told of, as flags to paste
  owners that are not built in, with where in their specs the images stand
  what is left alone, and why

Give it the flags that the webhook has: the answer is then the webhook's. The cluster is read as you,
not as the webhook: the namespace, its workloads and Pods, pull secrets, and owners of other kinds.
Nothing is ever written, with --dry-run or without: label the namespace yourself when you like the answer.

Exit codes: 0 everything can be pinned, 1 something cannot, 2 a mistake in the command line.
`;

/** Adds `tagpin onboard`; what it runs is loaded when it runs. */
export function addOnboardCommand(program: Command, parts: OnboardCommandParts): void {
  const command = program
    .command('onboard')
    .description(SUMMARIES.onboard)
    .argument('<NAMESPACE>', 'the namespace that is to be labelled')
    .option('--dry-run', 'change nothing, which is what this command does anyway')
    .addOption(
      new Option('-o, --format <FORMAT>', 'how to report').choices(FORMATS).default('text'),
    )
    .addHelpText('after', EXAMPLES)
    .action(async (namespace: string, { format }: Flags) => {
      if (NEVER_CALLED.has(namespace)) {
        const message = `tagpin is never called for namespace "${namespace}", whatever its labels`;
        throw new PinError('invalid_config', message);
      }
      const settings = settingsOf(command, ONBOARD_SETTINGS, parts.environment);
      const { allowSkipInEnforce } = settings;
      const [ports, { runOnboard }] = await Promise.all([
        parts.openOnboard(settings, namespace),
        import('../onboard/run.ts'),
      ]);
      const options = { namespace, format, allowSkipInEnforce };
      parts.end((await runOnboard(options, { ...ports, streams: parts.streams })) ? 0 : 1);
    });
  addSettings(command, ONBOARD_SETTINGS);
}
