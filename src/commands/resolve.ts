import { type Command, Option } from 'commander';

import type { Registries, ResolvedImage } from '../contents/registries.ts';
import { PinError, toPinError } from '../errors.ts';
import type { Streams } from '../files/streams.ts';
import { parseReference, type ReferenceForm, withDigest } from '../image/reference.ts';
import type { CommandParts } from './command-parts.ts';
import { addRegistryOptions, openRegistries } from './registry-options.ts';

interface Flags {
  readonly digestOnly: boolean;
  readonly referenceForm: ReferenceForm;
  readonly format: ResolveFormat;
}

type ResolveFormat = 'text' | 'json' | 'yaml';

const FORMATS: readonly ResolveFormat[] = ['text', 'json', 'yaml'];
const FORMS: readonly ReferenceForm[] = ['digest', 'tag-and-digest'];

const EXAMPLES = `
Examples:
  tagpin resolve nginx:1.27                     nginx@sha256:…
  tagpin resolve --digest-only nginx:1.27       sha256:…
  tagpin resolve --reference-form tag-and-digest nginx:1.27
  tagpin resolve -o json nginx redis ghcr.io/team/app:2
  tagpin resolve localhost:5000/app             plain http, as it is on loopback
  tagpin resolve --username me --password-stdin registry.example.com/app < password

Exit codes: 0 all resolved, 1 an image that could not be, 2 a mistake in the command line.
`;

/** What became of one image. */
type Answer = { readonly image: string } & (
  | { readonly found: ResolvedImage }
  | { readonly error: PinError }
);

/** Adds `tagpin resolve`; what it runs is loaded when it runs. */
export function addResolveCommand(program: Command, parts: CommandParts): void {
  const command = program
    .command('resolve')
    .description('Print the digests that tags have now.')
    .argument('<IMAGE...>', 'images by tag; latest where there is none')
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
    .addHelpText('after', EXAMPLES)
    .action(async (images: readonly string[], flags: Flags) => {
      const registries = await openRegistries(command, parts, images);
      const answers = await Promise.all(images.map((image) => askFor(image, registries)));
      await tell(answers, flags, parts.streams);
      parts.end(answers.every((answer) => 'found' in answer) ? 0 : 1);
    });
  addRegistryOptions(command);
}

async function askFor(image: string, { resolve }: Registries): Promise<Answer> {
  try {
    const { digest } = parseReference(image);
    if (digest === undefined) return { image, found: await resolve(image) };
    const message = 'it carries a digest already, and tags are looked up alone';
    return { image, error: new PinError('invalid_reference', message) };
  } catch (caught) {
    return { image, error: toPinError(caught) };
  }
}

async function tell(
  answers: readonly Answer[],
  { format, ...flags }: Flags,
  streams: Streams,
): Promise<void> {
  const text = (answer: Answer): string => resultOf(answer, flags) ?? '';
  const lines = answers.map(text).filter((line) => line !== '');
  const report = { images: answers.map((answer) => plain(answer, flags)) };
  await streams.out(await written(format, lines, report));
  const failures = answers.flatMap((answer) =>
    'error' in answer ? [failureLine(answer.image, answer.error)] : [],
  );
  await streams.err(failures.join(''));
}

async function written(
  format: ResolveFormat,
  lines: readonly string[],
  report: object,
): Promise<string> {
  if (format === 'text') return lines.map((line) => `${line}\n`).join('');
  if (format === 'json') return `${JSON.stringify(report, null, 2)}\n`;
  const { writeYaml } = await import('../files/yaml.ts');
  return writeYaml(report);
}

type Style = Pick<Flags, 'digestOnly' | 'referenceForm'>;

function resultOf(answer: Answer, { digestOnly, referenceForm }: Style): string | undefined {
  if ('error' in answer) return undefined;
  const { digest } = answer.found;
  return digestOnly ? digest : withDigest(answer.image, digest, referenceForm);
}

function plain(answer: Answer, style: Style): object {
  const { image } = answer;
  if ('error' in answer) {
    return { image, reason: answer.error.code, message: answer.error.message };
  }
  const { digest, mediaType } = answer.found;
  const result = resultOf(answer, style);
  return { image, result, digest, ...(mediaType !== undefined && { mediaType }) };
}

function failureLine(image: string, { message, advice, code }: PinError): string {
  return `tagpin: ${JSON.stringify(image)}: ${message}; ${advice} [${code}]\n`;
}
