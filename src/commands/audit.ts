import { type Command, Option } from 'commander';

import type { AuditFormat } from '../audit/report.ts';
import type { AuditPorts } from '../audit/run.ts';
import { AUDIT_SETTINGS, type AuditSettings } from './audit-settings.ts';
import type { CommandParts } from './command-parts.ts';
import { addSettings, settingsOf } from './settings.ts';
import { SUMMARIES } from './summaries.ts';

/** What `audit` needs of the process. */
export interface AuditCommandParts
  extends Pick<CommandParts, 'streams' | 'environment' | 'version' | 'end'> {
  /** Without a namespace of all of them. Rejects with `invalid_config`. */
  readonly openAudit: (
    settings: AuditSettings,
    namespace: string | undefined,
  ) => Promise<Pick<AuditPorts, 'cluster' | 'openRegistries'>>;
}

interface Flags {
  readonly namespace?: string;
  readonly format: AuditFormat;
}

const FORMATS: readonly AuditFormat[] = ['text', 'json', 'yaml', 'sarif', 'images'];

const EXAMPLES = `
Examples:
  tagpin audit                                  every workload of the cluster
  tagpin audit -n shop
  tagpin audit -o sarif > tagpin.sarif
  tagpin audit -o images | xargs -n1 trivy image    what runs, for a scanner

What is told of an image:
  unpinned        it has a tag, and so have its Pods
  pinned_in_pods  the template has a tag, all its Pods a digest
  moved           its tag names another digest now
  tag_gone        its tag is not there any more
  gone            its digest is not in the registry any more
  untagged        no tag names its digest; of repositories with more than 100 tags that is not asked,
                  unless their registry lists digests, as Google's do
  one_platform    it is one platform of an index, and the nodes have several
  unknown         it could not be looked up

It reads workloads, Pods, nodes and pull secrets as you, and asks registries with these secrets, and with
your own credentials. Whoever made a Pod chose its registry: give it the flags that the webhook has, such as
--allow-registry. Without the right to list nodes it leaves one_platform out.

Exit codes: 0 nothing is to be mended (moved and pinned_in_pods are notes), 1 something is, 2 a mistake in the command line.
`;

/** Adds `tagpin audit`; what it runs is loaded when it runs. */
export function addAuditCommand(program: Command, parts: AuditCommandParts): void {
  const command = program
    .command('audit')
    .description(SUMMARIES.audit)
    .option('-n, --namespace <NAME>', 'look at one namespace alone')
    .addOption(
      new Option('-o, --format <FORMAT>', 'how to report; images: what runs, one line each')
        .choices(FORMATS)
        .default('text'),
    )
    .addHelpText('after', EXAMPLES)
    .action(async ({ namespace, format }: Flags) => {
      const settings = settingsOf(command, AUDIT_SETTINGS, parts.environment);
      const { streams, version } = parts;
      const [ports, { runAudit }] = await Promise.all([
        parts.openAudit(settings, namespace),
        import('../audit/run.ts'),
      ]);
      parts.end((await runAudit({ format, version }, { ...ports, streams })) ? 0 : 1);
    });
  addSettings(command, AUDIT_SETTINGS);
}
