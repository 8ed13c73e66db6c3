import { PinError, toPinError } from '../errors.ts';
import type { Streams } from '../files/streams.ts';
import { isImageConfigType, parseImageConfig } from '../image/image-config.ts';
import type { Platform } from '../image/platform.ts';
import { printable } from '../image/printable.ts';
import { spelledName } from '../image/reference.ts';
import { type ChosenManifest, chosenManifest } from './chosen-manifest.ts';
import { failureLine, unreadLine } from './failure-line.ts';
import { type NumberedLayer, stepsOf } from './image-details.ts';
import { createImageDocuments, type ImageDocuments } from './image-documents.ts';
import { FILE_REPORTS, type LayersFormat } from './layer-file-report.ts';
import { layerFiles } from './layer-files.ts';
import { LAYER_REPORTS, type LayerRow } from './layer-report.ts';
import type { Registries } from './registries.ts';
import { emphasisFor } from './text-layout.ts';

/** What `tagpin layers` was asked. */
export interface LayersOptions {
  readonly image: string;
  /** Undefined where none was asked for. */
  readonly platform: Platform | undefined;
  /** The number of the layer whose files are asked for, from 1. */
  readonly list: number | undefined;
  /** Modes, owners, sizes and times of files. */
  readonly long: boolean;
  readonly format: LayersFormat;
}

/**
 * Lists layers, or the files of one; resolves to whether all were told, and have their digest. Rejects
 * with PinError `invalid_config` where there is no such layer, or it has no files.
 */
export async function runLayers(
  options: LayersOptions,
  registries: Registries,
  streams: Streams,
): Promise<boolean> {
  const { image, platform, list } = options;
  try {
    const documents = createImageDocuments(image, registries);
    const manifest = await chosenManifest(platform, documents);
    const rows = await rowsOf(manifest, documents);
    if (list !== undefined) {
      return await listFiles(options, layerAt(rows, list), { registries, streams });
    }
    const emphasis = emphasisFor(streams.colours);
    await streams.out(
      LAYER_REPORTS[options.format]({ image, digest: manifest.served.digest, rows }, emphasis),
    );
    return true;
  } catch (caught) {
    const error = toPinError(caught);
    if (error.code === 'invalid_config') throw error;
    await streams.err(failureLine(image, error));
    return false;
  }
}

async function rowsOf(
  { content: { config, layers } }: ChosenManifest,
  documents: ImageDocuments,
): Promise<readonly LayerRow[]> {
  const history = isImageConfigType(config.mediaType)
    ? parseImageConfig(await documents.config(config)).history
    : [];
  return stepsOf(layers, history).flatMap(({ layer, history: step }) =>
    layer === undefined ? [] : [{ layer, history: step }],
  );
}

function layerAt(rows: readonly LayerRow[], number: number): NumberedLayer {
  const layer = rows[number - 1]?.layer;
  if (layer !== undefined) return layer;
  const count = rows.length === 0 ? 'it has no layers' : `it has layers 1 to ${rows.length}`;
  throw new PinError('invalid_config', `there is no layer ${number}: ${count}`);
}

/** Archives, of artifacts too: Helm charts and others are such. */
const ARCHIVE = /(?:\btar(?:[.+](?:gzip|zstd))?|\btgz)$/;
/** Layers that registries need not have (OCI image specification, layer.md, "Non-Distributable Layers"). */
const FOREIGN = /nondistributable|foreign/;

async function listFiles(
  { image, long, format }: LayersOptions,
  { number, digest, mediaType, sizeBytes }: NumberedLayer,
  { registries, streams }: { readonly registries: Registries; readonly streams: Streams },
): Promise<boolean> {
  if (!ARCHIVE.test(mediaType)) {
    const other = `its bytes are printed by: tagpin blob ${spelledName(image)}@${digest}`;
    const message = `layer ${number} is no archive of files but ${printable(mediaType)}; ${other}`;
    throw new PinError('invalid_config', message);
  }
  const report = FILE_REPORTS[format](long);
  try {
    const { content } = await registries.blob(image, digest);
    await streams.out(report.start);
    for await (const member of layerFiles(atMost(content, sizeBytes))) {
      await streams.out(report.file(member));
      if (streams.isRead()) continue;
      await streams.err(unreadLine(image));
      return false;
    }
    await streams.out(report.end());
    return true;
  } catch (caught) {
    throw explained(toPinError(caught), `layer ${number} (${digest})`, FOREIGN.test(mediaType));
  }
}

/** What is longer than its manifest says has not the digest, and may have no end. */
async function* atMost(
  content: AsyncIterable<Uint8Array>,
  sizeBytes: number = Number.POSITIVE_INFINITY,
): AsyncGenerator<Uint8Array> {
  let left = sizeBytes;
  for await (const chunk of content) {
    left -= chunk.length;
    if (left < 0) {
      const message = `it has more than the ${sizeBytes} bytes that its manifest says`;
      throw new PinError('invalid_response', message);
    }
    yield chunk;
  }
}

function explained(error: PinError, layer: string, isForeign: boolean): PinError {
  const foreign =
    isForeign && error.code === 'not_found'
      ? '; it is a foreign layer, which is not pushed to registries'
      : '';
  return new PinError(error.code, `${layer}: ${error.message}${foreign}`, { cause: error });
}
