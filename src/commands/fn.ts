import type { Command } from 'commander';

import { SERVE_SETTINGS, type ServeSettings } from '../config.ts';
import type { DigestOf } from '../pin/plan.ts';
import type { Settings } from '../settings/setting.ts';
import type { CommandParts } from './command-parts.ts';
import { addRegistryOptions, openRegistries, refuseSecretInput } from './registry-options.ts';
import { addSettings, settingsOf } from './settings.ts';
import { SUMMARIES } from './summaries.ts';

const EXAMPLES = `
Examples:
  tagpin fn < resource-list.yaml                what kustomize does with a function
  kustomize build --enable-alpha-plugins --enable-exec overlays/prod

The kustomization names a file under "transformers:", and that file this program:
  apiVersion: tagpin.dev/v1alpha1
  kind: Pin
  metadata:
    name: pin
    annotations:
      config.kubernetes.io/function: |
        exec:
          path: tagpin
          args: [fn]
  spec:
    mode: pin
    referenceForm: tag-and-digest

Keys of spec: mode (pin, check), referenceForm, comment, update, skip, extraKinds, lock, digests.

Exit codes: 0 done, 1 something could not be pinned, or is not, 2 a mistake in the configuration.
`;

/** The images for which no registry is asked. */
const SETTINGS: Settings<Pick<ServeSettings, 'skip'>> = { skip: SERVE_SETTINGS.skip };

/** Adds `tagpin fn`; what it runs is loaded when it runs. */
export function addFnCommand(program: Command, parts: CommandParts): void {
  const command = program
    .command('fn')
    .description(SUMMARIES.fn)
    .addHelpText('after', EXAMPLES)
    .action(async () => {
      const { skip } = settingsOf(command, SETTINGS, parts.environment);
      refuseSecretInput(command);
      const { runFunction } = await import('../krm/run.ts');
      const open = async (): Promise<DigestOf> => {
        const { resolve } = await openRegistries(command, parts, []);
        return async (image) => (await resolve(image)).digest;
      };
      const done = await runFunction({ streams: parts.streams, openRegistries: open, skip });
      parts.end(done ? 0 : 1);
    });
  addRegistryOptions(command);
  addSettings(command, SETTINGS);
}
