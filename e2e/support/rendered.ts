import { execFile } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, relative } from 'node:path';
import { promisify } from 'node:util';
import { parseAllDocuments, stringify } from 'yaml';

import { isJsonObject, textOf } from '../../src/json.ts';
import { binaryPath } from './binaries.ts';
import { helm } from './helm.ts';

const run = promisify(execFile);
const MANIFESTS = join(import.meta.dirname, '..', '..', 'manifests');

/** The folder of this project's chart. */
export const CHART: string = join(MANIFESTS, 'helm');

/** As much of an object as is read here. */
export interface Rendered {
  readonly kind: string;
  readonly metadata: {
    readonly name: string;
    readonly namespace?: string;
    readonly labels?: Readonly<Record<string, string>>;
    readonly annotations?: Readonly<Record<string, string>>;
  };
}

/** An overlay, and components beside it, by their names below manifests/kustomize. */
export interface Overlay {
  readonly resource: string;
  readonly components?: readonly string[];
  /** More fields of the kustomization. */
  readonly others?: object;
}

/** What kustomize makes of them. */
export async function renderOverlay(overlay: Overlay): Promise<readonly Rendered[]> {
  const folder = await mkdtemp(join(tmpdir(), 'tagpin-overlay-'));
  const path = (below: string): string => relative(folder, join(MANIFESTS, 'kustomize', below));
  const { resource, components = [], others } = overlay;
  const file = {
    resources: [path(resource)],
    components: components.map((name) => path(join('components', name))),
    ...others,
  };
  try {
    await writeFile(join(folder, 'kustomization.yaml'), stringify(file));
    const { stdout } = await run(binaryPath('kustomize'), ['build', folder]);
    return documentsOf(stdout);
  } finally {
    await rm(folder, { recursive: true });
  }
}

/** What helm makes of the chart with values beside its own; no hooks. */
export async function renderChart(values: object): Promise<readonly Rendered[]> {
  const objects = await renderAll(values);
  return objects.filter(({ metadata }) => metadata.annotations?.['helm.sh/hook'] === undefined);
}

/** The same, with its hooks and tests. */
export async function renderAll(values: object): Promise<readonly Rendered[]> {
  const home = await mkdtemp(join(tmpdir(), 'tagpin-chart-'));
  const file = join(home, 'values.json');
  try {
    await writeFile(file, JSON.stringify(values));
    const where = ['tagpin', CHART, '--namespace=tagpin-system', `--values=${file}`];
    return documentsOf(await helm(['template', ...where], home));
  } finally {
    await rm(home, { recursive: true });
  }
}

/** The objects of a stream of YAML documents. */
export function documentsOf(text: string): readonly Rendered[] {
  return parseAllDocuments(text)
    .map((document) => document.toJS() as Rendered | null)
    .filter((object) => object !== null);
}

/**
 * Objects by kind, namespace and name, without what need not be the same: the labels by which helm knows
 * its objects, lists that kustomize leaves empty, and the order of variables and volumes. No Namespace: helm is told one.
 */
export function comparable(objects: readonly Rendered[]): Readonly<Record<string, unknown>> {
  const entries = objects
    .filter(({ kind }) => kind !== 'Namespace')
    .map((object) => [addressOf(object), withoutEmptyLists(ownLabels(object))] as const);
  return Object.fromEntries(entries.toSorted(([a], [b]) => (a < b ? -1 : 1)));
}

/** `Role tagpin-system/tagpin`. */
export function addressOf({ kind, metadata }: Rendered): string {
  return `${kind} ${metadata.namespace ?? ''}/${metadata.name}`;
}

const OF_HELM = /^(helm\.sh\/|app\.kubernetes\.io\/(instance|managed-by|version)$)/;

function ownLabels(object: Rendered): Rendered {
  const labels = Object.entries(object.metadata.labels ?? {}).filter(
    ([name]) => !OF_HELM.test(name),
  );
  return { ...object, metadata: { ...object.metadata, labels: Object.fromEntries(labels) } };
}

/** Lists whose order says nothing. */
const UNORDERED = new Set(['env', 'volumes', 'volumeMounts']);

function withoutEmptyLists(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(withoutEmptyLists);
  if (!isJsonObject(value)) return value;
  const filled = Object.entries(value).filter(([, one]) => !Array.isArray(one) || one.length > 0);
  return Object.fromEntries(
    filled.map(([name, one]) => {
      const isUnordered = UNORDERED.has(name) && Array.isArray(one);
      return [name, withoutEmptyLists(isUnordered ? one.toSorted(byName) : one)];
    }),
  );
}

function byName(a: unknown, b: unknown): number {
  return nameOf(a) < nameOf(b) ? -1 : 1;
}

function nameOf(item: unknown): string {
  return isJsonObject(item) ? (textOf(item, 'name') ?? '') : '';
}
