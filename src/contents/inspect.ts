import { type PinError, toPinError } from '../errors.ts';
import type { Streams } from '../files/streams.ts';
import { writeYaml } from '../files/yaml.ts';
import { printableJson } from '../image/printable.ts';
import { withDigest } from '../image/reference.ts';
import { failureLine } from './failure-line.ts';
import { type Extent, type Picture, readPicture } from './picture.ts';
import { plainPicture } from './picture-report.ts';
import { pictureText } from './picture-text.ts';
import type { Registries } from './registries.ts';
import { emphasisFor } from './text-layout.ts';

/** How to report. */
export type InspectFormat = 'text' | 'json' | 'yaml';

/** What `tagpin inspect` was asked. */
export interface InspectOptions {
  readonly image: string;
  readonly extent: Extent;
  readonly format: InspectFormat;
}

/** Shows what stands behind a reference; resolves to whether all of it could be read. */
export async function runInspect(
  { image, extent, format }: InspectOptions,
  registries: Registries,
  streams: Streams,
): Promise<boolean> {
  let picture: Picture;
  try {
    picture = await readPicture(image, extent, registries);
  } catch (caught) {
    await streams.err(failureLine(image, toPinError(caught)));
    return false;
  }
  await streams.out(WRITERS[format](image, picture, streams));
  const failures = failuresIn(picture);
  const lines = failures.map(([digest, error]) =>
    failureLine(withDigest(image, digest, 'digest'), error),
  );
  await streams.err(lines.join(''));
  return failures.length === 0;
}

type Write = (image: string, picture: Picture, streams: Streams) => string;

const WRITERS: Readonly<Record<InspectFormat, Write>> = {
  text: (image, picture, { colours }) => pictureText(image, picture, emphasisFor(colours)),
  json: (image, picture) => `${printableJson(plainPicture(image, picture), 2)}\n`,
  yaml: (image, picture) => writeYaml(plainPicture(image, picture)),
};

/** Each once: what has no entry has no details either. */
function failuresIn(picture: Picture): [digest: string, error: PinError][] {
  if (picture.kind === 'blob') return [];
  const details = picture.kind === 'index' ? picture.details : [picture.details];
  const entries = picture.kind === 'index' ? picture.entries : [];
  return [
    ...entries.flatMap((entry): [string, PinError][] =>
      entry.kind === 'unread' ? [[entry.digest, entry.error]] : [],
    ),
    ...details.flatMap((detail): [string, PinError][] => {
      if ('error' in detail) return [[detail.digest, detail.error]];
      return detail.attestations.flatMap(({ digest, error }) =>
        error === undefined ? [] : [[digest, error]],
      );
    }),
  ];
}
