import { type Command, Option } from 'commander';

/** Gathers an option that may be given several times. */
function gather(item: string, before: readonly string[]): readonly string[] {
  return [...before, item];
}

/** An option that may be given several times, each with one value. */
export function repeatable(flags: string, text: string): Option {
  return new Option(flags, `${text} (repeatable)`).default([], 'none').argParser(gather);
}

/** The options of every command that looks for images in files. */
export function addManifestOptions(command: Command): Command {
  return command
    .argument('[FILE|DIR|-...]', 'manifests, folders of them, or - for standard input')
    .addOption(
      repeatable(
        '--extra-kind <GROUP/KIND=PATH>',
        'a kind of yours with a pod template, such as argoproj.io/Rollout=spec.template',
      ),
    )
    .option(
      '--helm-values',
      'look for {repository, tag, digest} in values files too; whether a digest is used, the chart decides',
      false,
    );
}
