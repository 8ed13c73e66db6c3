import { writeYaml } from '../files/yaml.ts';
import type { HistoryEntry } from '../image/image-config.ts';
import { printableJson } from '../image/printable.ts';
import { formatBytes } from './byte-size.ts';
import { sizeText, stepText } from './details-text.ts';
import type { NumberedLayer } from './image-details.ts';
import { totalBytes } from './index-entries.ts';
import type { LayersFormat } from './layer-file-report.ts';
import { type Column, type Emphasis, tableLines } from './text-layout.ts';

/** A layer and what made it, where that is told. */
export interface LayerRow {
  readonly layer: NumberedLayer;
  readonly history: HistoryEntry | undefined;
}

const COLUMNS: readonly Column[] = [
  { title: 'LAYER', isNumber: true },
  { title: 'SIZE', isNumber: true },
  { title: 'DIGEST' },
  { title: 'MEDIA TYPE' },
  { title: 'CREATED BY' },
];

/** The layers of one manifest. */
interface LayerList {
  /** As it was asked for. */
  readonly image: string;
  /** Of the manifest: of an index that for one platform. */
  readonly digest: string;
  readonly rows: readonly LayerRow[];
}

type Report = (list: LayerList, emphasis: Emphasis) => string;

/** A list of layers in each format. */
export const LAYER_REPORTS: Readonly<Record<LayersFormat, Report>> = {
  text: ({ rows }, emphasis) => {
    const cells = rows.map(({ layer, history }) => [
      String(layer.number),
      sizeText(layer.sizeBytes),
      layer.digest,
      layer.mediaType,
      stepText(history),
    ]);
    const total = totalOf(rows);
    const sum = total === undefined ? '' : `, ${formatBytes(total)} as stored`;
    const counted = `${rows.length} layer${rows.length === 1 ? '' : 's'}${sum}`;
    return `${[...tableLines(COLUMNS, cells, emphasis), counted].join('\n')}\n`;
  },
  json: (list) => `${printableJson(plain(list), 2)}\n`,
  yaml: (list) => writeYaml(plain(list)),
};

function plain({ image, digest, rows }: LayerList): object {
  return {
    image,
    digest,
    layers: rows.map(({ layer, history }) => ({
      number: layer.number,
      digest: layer.digest,
      mediaType: layer.mediaType,
      sizeBytes: layer.sizeBytes,
      createdBy: history?.createdBy,
    })),
    layersSizeBytes: totalOf(rows),
  };
}

function totalOf(rows: readonly LayerRow[]): number | undefined {
  return totalBytes(rows.map(({ layer }) => layer));
}
