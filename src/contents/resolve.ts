import { type PinError, toPinError } from '../errors.ts';
import type { Streams } from '../files/streams.ts';
import { writeYaml } from '../files/yaml.ts';
import type { Digest } from '../image/digest.ts';
import { formatPlatform, type Platform } from '../image/platform.ts';
import { printable, printableJson } from '../image/printable.ts';
import { type ReferenceForm, withDigest } from '../image/reference.ts';
import { failureLine } from './failure-line.ts';
import { createImageDocuments } from './image-documents.ts';
import { manifestFor, manifestsOf, type PlatformManifest } from './platforms.ts';
import type { Registries, ResolvedImage } from './registries.ts';

/** How to report. */
export type ResolveFormat = 'text' | 'json' | 'yaml';

/** What `tagpin resolve` was asked. */
export interface ResolveOptions {
  readonly images: readonly string[];
  /** Of which one is asked for, each of them, or none: what stands behind the tag itself. */
  readonly platform: Platform | 'all' | undefined;
  readonly digestOnly: boolean;
  readonly referenceForm: ReferenceForm;
  readonly format: ResolveFormat;
}

interface Found extends ResolvedImage {
  readonly platform?: Platform | undefined;
  /** Where each was asked for. */
  readonly platforms?: readonly PlatformManifest[];
}

/** What became of one image. */
type Answer = { readonly image: string } & (
  | { readonly found: Found }
  | { readonly error: PinError }
);

/** Prints the digests of images, and resolves to whether all could be found. */
export async function runResolve(
  options: ResolveOptions,
  registries: Registries,
  streams: Streams,
): Promise<boolean> {
  return tellFound(options, (image) => find(image, options.platform, registries), streams);
}

/** The same of digests that come from elsewhere; `lookUp` rejects with a PinError. */
export async function tellFound(
  options: Omit<ResolveOptions, 'platform'>,
  lookUp: (image: string) => Promise<Found>,
  streams: Streams,
): Promise<boolean> {
  const answers = await Promise.all(options.images.map((image) => askFor(image, lookUp)));
  await streams.out(REPORTS[options.format](answers, options));
  const failures = answers.flatMap((answer) =>
    'error' in answer ? [failureLine(answer.image, answer.error)] : [],
  );
  await streams.err(failures.join(''));
  return failures.length === 0;
}

async function askFor(image: string, lookUp: (image: string) => Promise<Found>): Promise<Answer> {
  try {
    return { image, found: await lookUp(image) };
  } catch (caught) {
    return { image, error: toPinError(caught) };
  }
}

async function find(
  image: string,
  platform: ResolveOptions['platform'],
  registries: Registries,
): Promise<Found> {
  if (platform === undefined) return registries.resolve(image);
  const documents = createImageDocuments(image, registries);
  if (platform !== 'all') return manifestFor(platform, documents);
  const { served } = await documents.root();
  const { digest, mediaType } = served;
  return { digest, mediaType, platforms: await manifestsOf(documents) };
}

type Style = Pick<ResolveOptions, 'digestOnly' | 'referenceForm'>;
type WriteReport = (answers: readonly Answer[], options: Style) => string;

const REPORTS: Readonly<Record<ResolveFormat, WriteReport>> = {
  text: (answers, options) => answers.flatMap((answer) => linesOf(answer, options)).join(''),
  json: (answers, options) => `${printableJson(plainReport(answers, options), 2)}\n`,
  yaml: (answers, options) => writeYaml(plainReport(answers, options)),
};

function linesOf(answer: Answer, options: Style): string[] {
  if ('error' in answer) return [];
  const { image, found } = answer;
  const { digest, platforms } = found;
  if (platforms === undefined) return [`${written(image, digest, options)}\n`];
  return platforms.map((manifest) => {
    const name = manifest.platform === undefined ? 'unknown' : formatPlatform(manifest.platform);
    return `${written(image, manifest.digest, options)} ${name}\n`;
  });
}

function written(image: string, digest: Digest, { digestOnly, referenceForm }: Style): string {
  return digestOnly ? digest : withDigest(image, digest, referenceForm);
}

function plainReport(answers: readonly Answer[], options: Style): object {
  return { images: answers.map((answer) => plainAnswer(answer, options)) };
}

function plainAnswer(answer: Answer, options: Style): object {
  const { image } = answer;
  if ('error' in answer) {
    return { image, reason: answer.error.code, message: answer.error.message };
  }
  const { platforms, ...found } = answer.found;
  const plain = { image, ...plainFound(image, found, options) };
  if (platforms === undefined) return plain;
  return { ...plain, platforms: platforms.map((one) => plainFound(image, one, options)) };
}

function plainFound(image: string, { digest, mediaType, platform }: Found, options: Style): object {
  return {
    result: written(image, digest, options),
    digest,
    ...(mediaType !== undefined && { mediaType: printable(mediaType) }),
    ...(platform !== undefined && { platform: formatPlatform(platform) }),
  };
}
