import { type Command, Option } from 'commander';

import type { DoctorFormat } from '../doctor/report.ts';
import type { DoctorPorts } from '../doctor/run.ts';
import type { CommandParts } from './command-parts.ts';
import { DOCTOR_SETTINGS, type DoctorSettings } from './doctor-settings.ts';
import { addSettings, settingsOf } from './settings.ts';
import { SUMMARIES } from './summaries.ts';

/** What `doctor` needs of the process. */
export interface DoctorCommandParts extends Pick<CommandParts, 'streams' | 'environment' | 'end'> {
  /** What looks at the cluster and at registries. Rejects with `invalid_config`. */
  readonly openDoctor: (settings: DoctorSettings) => Promise<Omit<DoctorPorts, 'streams'>>;
}

interface Flags {
  readonly format: DoctorFormat;
}

const FORMATS: readonly DoctorFormat[] = ['text', 'json', 'yaml'];

const EXAMPLES = `
Examples:
  tagpin doctor
  tagpin doctor --context production -o json
  tagpin doctor --namespaces shop,bank
  kubectl exec --namespace tagpin-system deployment/tagpin -- node dist/main.js doctor --in-cluster --namespaces shop

Each line says what was looked at, how it stands, and what to do about it, as a command where there is
an exact one:
  ok       it was looked at, and nothing is wrong
  warning  something is not as it should be, or could not be looked at: the line says which right is missing
  failed   tagpin does not do what it is for

The cluster is read as you, and nothing in it is changed: a Pod is tried by a dry run. Registries are asked
from here, not from the cluster, with the flags of tagpin's Deployment and those that you give; files that
the Deployment names are in its Pods alone, so give those that you have.

Exit codes: 0 nothing failed, 1 something did, 2 a mistake in the command line.
`;

/** Adds `tagpin doctor`; what it runs is loaded when it runs. */
export function addDoctorCommand(program: Command, parts: DoctorCommandParts): void {
  const command = program
    .command('doctor')
    .description(SUMMARIES.doctor)
    .addOption(
      new Option('-o, --format <FORMAT>', 'how to report').choices(FORMATS).default('text'),
    )
    .addHelpText('after', EXAMPLES)
    .action(async ({ format }: Flags) => {
      const settings = settingsOf(command, DOCTOR_SETTINGS, parts.environment);
      const [ports, { runDoctor }] = await Promise.all([
        parts.openDoctor(settings),
        import('../doctor/run.ts'),
      ]);
      parts.end((await runDoctor(format, { ...ports, streams: parts.streams })) ? 0 : 1);
    });
  addSettings(command, DOCTOR_SETTINGS);
}
