import { type Command, Option } from 'commander';

import type { CheckFormat } from '../check/run.ts';
import { PinError } from '../errors.ts';
import type { CommandParts } from './command-parts.ts';
import { addManifestOptions, repeatable } from './manifest-options.ts';
import { SUMMARIES } from './summaries.ts';

interface Flags {
  readonly strict: boolean;
  readonly constraint: readonly string[];
  readonly namespace: string;
  readonly extraKind: readonly string[];
  readonly helmValues: boolean;
  readonly format: CheckFormat;
}

const FORMATS: readonly CheckFormat[] = ['text', 'json', 'yaml', 'sarif'];

const EXAMPLES = `
Examples:
  tagpin check --strict deploy/                 images of every kind, and whole digests
  tagpin check deploy/                          Pods alone, as the policy K8sImageDigests has it
  tagpin check --constraint policy.yaml pod.yaml
  kustomize build overlays/prod | tagpin check --strict -
  tagpin check --strict -o sarif deploy/ > tagpin.sarif

Without --strict the verdicts are those of K8sImageDigests, which looks at Pods: a tag in a Deployment,
a Job or another kind passes. How many did is told on standard error, in JSON and in SARIF.

Exit codes: 0 all pinned, 1 findings or files that cannot be read, 2 a mistake in the command line.
`;

/** Adds `tagpin check`; what it runs is loaded when it runs. */
export function addCheckCommand(program: Command, parts: CommandParts): void {
  const command = program.command('check').description(SUMMARIES.check);
  addManifestOptions(command)
    .option(
      '--strict',
      'look at every kind, not at Pods alone, and ask for digests of their full length',
      false,
    )
    .addOption(
      repeatable(
        '--constraint <FILE>',
        'a Gatekeeper constraint of K8sImageDigests: what to look at, and what is exempt',
      ),
    )
    .option('-n, --namespace <NAME>', 'the namespace of objects that name none', '')
    .addOption(
      new Option('-o, --format <FORMAT>', 'how to report').choices(FORMATS).default('text'),
    )
    .addHelpText('after', EXAMPLES)
    .action(async (paths: readonly string[], flags: Flags) => {
      if (paths.length === 0) {
        const message = 'name a file, a folder, or - for standard input';
        throw new PinError('invalid_config', message);
      }
      const { runCheck } = await import('../check/run.ts');
      const passed = await runCheck({ ...flags, paths, version: parts.version }, parts.streams);
      parts.end(passed ? 0 : 1);
    });
}
