import { type Command, Option } from 'commander';

import { PinError } from '../errors.ts';
import type { Explain, ExplainFormat } from '../explain/run.ts';
import type { CommandParts } from './command-parts.ts';
import { EXPLAIN_SETTINGS, type ExplainSettings } from './explain-settings.ts';
import { addSettings, settingsOf } from './settings.ts';
import { SUMMARIES } from './summaries.ts';

/** What `explain` needs of the process. */
export interface ExplainCommandParts extends Pick<CommandParts, 'streams' | 'environment' | 'end'> {
  /**
   * What looks up as the webhook does. Without a namespace a person's own credentials count, and no
   * cluster is asked. Rejects with `invalid_config`.
   */
  readonly openExplain: (
    settings: ExplainSettings,
    namespace: string | undefined,
  ) => Promise<Explain>;
}

interface Flags {
  readonly namespace?: string;
  readonly pod?: string;
  readonly serviceAccount?: string;
  readonly format: ExplainFormat;
}

const FORMATS: readonly ExplainFormat[] = ['text', 'json', 'yaml'];

const EXAMPLES = `
Examples:
  tagpin explain nginx:1.27                                with your own credentials
  tagpin explain ghcr.io/team/app:2 -n shop                as for the ServiceAccount "default"
  tagpin explain ghcr.io/team/app:2 -n shop --service-account builder
  tagpin explain ghcr.io/team/app:2 -n shop --pod web-7d4b9c6f5-x2x5z
  tagpin explain registry.corp.example:5000/app:2 -n shop --allow-registry '*.corp.example:5000'
  tagpin explain -o json ghcr.io/team/app:2 -n shop

Give it the flags that the webhook has: the answer is then the webhook's. The cluster is read as you,
not as the webhook: Secrets and the ServiceAccount, or the Pod. No content of a Secret is shown.

Exit codes: 0 it can be pinned or need not be, 1 it cannot, 2 a mistake in the command line.
`;

/** Adds `tagpin explain`; what it runs is loaded when it runs. */
export function addExplainCommand(program: Command, parts: ExplainCommandParts): void {
  const command = program
    .command('explain')
    .description(SUMMARIES.explain)
    .argument('<IMAGE>', 'an image by tag; latest where there is none')
    .option('-n, --namespace <NAME>', 'the namespace of the Pod; without it no cluster is asked')
    .addOption(
      new Option('--pod <NAME>', 'a Pod whose pull secrets count').conflicts('serviceAccount'),
    )
    .option('--service-account <NAME>', 'a ServiceAccount whose pull secrets count')
    .addOption(
      new Option('-o, --format <FORMAT>', 'how to report').choices(FORMATS).default('text'),
    )
    .addHelpText('after', EXAMPLES)
    .action(async (image: string, { format, namespace, pod, serviceAccount }: Flags) => {
      if (namespace === undefined && (pod ?? serviceAccount) !== undefined) {
        throw new PinError('invalid_config', '--pod and --service-account need --namespace');
      }
      const settings = settingsOf(command, EXPLAIN_SETTINGS, parts.environment);
      const { referenceForm } = settings;
      const [explain, { runExplain }] = await Promise.all([
        parts.openExplain(settings, namespace),
        import('../explain/run.ts'),
      ]);
      const question = { image, namespace, pod, serviceAccount };
      const { streams } = parts;
      const style = { format, referenceForm };
      parts.end((await runExplain(question, style, { streams, explain })) ? 0 : 1);
    });
  addSettings(command, EXPLAIN_SETTINGS);
}
