import { writeYaml } from '../files/yaml.ts';
import type { Digest } from '../image/digest.ts';
import { printable, printableJson } from '../image/printable.ts';
import { type ReferenceForm, withDigest } from '../image/reference.ts';
import { digestsIn, NO_DIGEST } from './local-digest.ts';
import type { LocalImage, LocalName } from './local-images.ts';

/** How to write a list of images. */
export interface ListStyle {
  readonly digestOnly: boolean;
  readonly referenceForm: ReferenceForm;
  readonly format: 'text' | 'json' | 'yaml';
}

/** One name of an image, with one digest of it. */
interface Row {
  readonly id: string;
  /** Undefined of an image without a name. */
  readonly image: string | undefined;
  readonly digest: Digest | undefined;
}

/** All images of a machine, with a line for each of their names. */
export function writeLocalImages(images: readonly LocalImage[], style: ListStyle): string {
  const rows = images.flatMap(rowsOf);
  if (style.format === 'text') return textOf(rows, style);
  const report = { images: rows.map((row) => plain(row, style)) };
  return style.format === 'json' ? `${printableJson(report, 2)}\n` : writeYaml(report);
}

function rowsOf(image: LocalImage): Row[] {
  // An image that was pulled by its digest, or whose tag has moved on, has no other name.
  const names = image.tags.length > 0 ? image.tags : image.digests;
  if (names.length === 0) return [{ id: image.id, image: undefined, digest: undefined }];
  return names.flatMap((name) => rowsOfName(image, name));
}

function rowsOfName(image: LocalImage, { text, reference }: LocalName): Row[] {
  const row = { id: image.id, image: text, digest: undefined };
  const digests = digestsIn(image, reference);
  return digests.length === 0 ? [row] : digests.map((digest) => ({ ...row, digest }));
}

function textOf(rows: readonly Row[], style: ListStyle): string {
  const cells = rows.map((row) => ({
    name: printable(row.image ?? row.id),
    result: resultOf(row, style) ?? 'never pulled or pushed',
  }));
  const width = cells.reduce((widest, { name }) => Math.max(widest, name.length), 0);
  return cells.map(({ name, result }) => `${name.padEnd(width)}  ${result}\n`).join('');
}

function resultOf({ image, digest }: Row, style: ListStyle): string | undefined {
  if (image === undefined || digest === undefined) return undefined;
  return style.digestOnly ? digest : withDigest(image, digest, style.referenceForm);
}

function plain(row: Row, style: ListStyle): object {
  const { id, image = null, digest } = row;
  if (digest === undefined) return { image, id, reason: 'not_found', message: NO_DIGEST };
  return { image, id, result: resultOf(row, style), digest };
}
