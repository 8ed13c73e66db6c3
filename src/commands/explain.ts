import { type Command, Option } from 'commander';

import { PinError } from '../errors.ts';
import type { ExplainQuestion } from '../explain/explanation.ts';
import type { Explain, ExplainFormat } from '../explain/run.ts';
import type { ViaWebhookPorts } from '../explain/via-webhook.ts';
import type { Setting } from '../settings/setting.ts';
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
  /** The API server, through which the webhook that runs is asked. Rejects with `invalid_config`. */
  readonly openViaWebhook: (
    settings: ExplainSettings,
    namespace: string,
  ) => Promise<ViaWebhookPorts>;
}

interface Flags {
  readonly namespace?: string;
  readonly pod?: string;
  readonly serviceAccount?: string;
  readonly viaWebhook?: true;
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
  tagpin explain --via-webhook ghcr.io/team/app:2 -n shop  what the webhook that runs has to say

Give it the flags that the webhook has: the answer is then the webhook's. The cluster is read as you,
not as the webhook: Secrets and the ServiceAccount, or the Pod. No content of a Secret is shown.

With --via-webhook the webhook itself explains, with its settings, network, cache and credentials: a Pod
is created in a dry run, which stores nothing. You need the right to create Pods, and, in a namespace that
has opted in, to get explanations.tagpin.dev: the ClusterRole tagpin-explain, which edit and admin have.

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
    .option('--via-webhook', 'have the webhook that runs explain it, asked through the API server')
    .action(async (image: string, flags: Flags) => {
      const { namespace, pod, serviceAccount } = flags;
      if (namespace === undefined && (pod ?? serviceAccount) !== undefined) {
        throw new PinError('invalid_config', '--pod and --service-account need --namespace');
      }
      const settings = settingsOf(command, EXPLAIN_SETTINGS, parts.environment);
      const question = { image, namespace, pod, serviceAccount };
      if (flags.viaWebhook) refuseSettings(command);
      const asked = { question, settings, format: flags.format };
      const passed = await (flags.viaWebhook ? viaWebhook : asWebhook)(parts, asked);
      parts.end(passed ? 0 : 1);
    });
  addSettings(command, EXPLAIN_SETTINGS);
}

interface Asked {
  readonly question: ExplainQuestion;
  readonly settings: ExplainSettings;
  readonly format: ExplainFormat;
}

async function asWebhook(
  { openExplain, streams }: ExplainCommandParts,
  { question, settings, format }: Asked,
): Promise<boolean> {
  const [explain, { runExplain }, { adviceFor }] = await Promise.all([
    openExplain(settings, question.namespace),
    import('../explain/run.ts'),
    import('../explain/report.ts'),
  ]);
  const style = { format, referenceForm: settings.referenceForm };
  return runExplain(question, style, {
    streams,
    explain,
    advise: (error, steps) => adviceFor(error, question.namespace, steps),
  });
}

async function viaWebhook(
  { openViaWebhook, streams }: ExplainCommandParts,
  { question, settings, format }: Asked,
): Promise<boolean> {
  const { namespace } = question;
  if (namespace === undefined) {
    throw new PinError('invalid_config', '--via-webhook needs --namespace');
  }
  const [ports, { runViaWebhook }] = await Promise.all([
    openViaWebhook(settings, namespace),
    import('../explain/via-webhook.ts'),
  ]);
  return runViaWebhook({ ...question, namespace }, format, { ...ports, streams });
}

/** Which say how to reach the cluster. The others are the webhook's own, whatever is said here. */
const OF_THE_CLUSTER: ReadonlySet<string> = new Set(['kubeconfig', 'context']);

function refuseSettings(command: Command): void {
  for (const [name, { flag }] of Object.entries<Setting<unknown>>(EXPLAIN_SETTINGS)) {
    if (OF_THE_CLUSTER.has(name) || command.getOptionValueSource(name) !== 'cli') continue;
    const [said] = flag.split(' ');
    const message = `${said} says nothing with --via-webhook: the webhook has its own settings`;
    throw new PinError('invalid_config', message);
  }
}
