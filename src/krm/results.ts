import type { Finding } from '../check/findings.ts';
import type { Fault } from '../files/manifest.ts';
import { isJsonObject, objectIn, textOf } from '../json.ts';
import type { PlannedFile } from '../pin/files.ts';
import type { PinOutcome, PlannedImage } from '../pin/plan.ts';

/** One entry of `results` (kustomize, functions-spec.md). */
export interface Result {
  readonly message: string;
  readonly severity: Severity;
  readonly resourceRef?: object;
  readonly field?: object;
  readonly file?: object;
}

type Severity = 'error' | 'warning' | 'info';

/** Where an image stands in a ResourceList. */
interface Place {
  /** JSON pointer. */
  readonly path: string;
  readonly object: { readonly pointer: string };
}

type ValueAt = (path: readonly string[]) => unknown;

/** What is told of an image beside what failed; of the others nothing happened. */
const TOLD: ReadonlyMap<PinOutcome, Severity> = new Map<PinOutcome, Severity>([
  ['pinned', 'info'],
  ['refreshed', 'info'],
  ['skipped', 'info'],
  ['unmatched', 'warning'],
  ['no_tag', 'warning'],
  ['failed', 'error'],
]);

/** The results of a run that pins; where any is an error, nothing was changed. */
export function pinResults(planned: PlannedFile, valueAt: ValueAt): readonly Result[] {
  const failed = planned.images.some(({ outcome }) => outcome === 'failed');
  const ofImages = planned.images.flatMap((image) => {
    const severity = TOLD.get(image.outcome) ?? (image.note === undefined ? undefined : 'info');
    const isUndone = severity === 'info' && (failed || planned.faults.length > 0);
    if (severity === undefined || isUndone) return [];
    const message = `${image.image.label}: ${messageOf(image)}`;
    const proposed = image.outcome === 'failed' ? {} : { proposedValue: image.to };
    const isChanged = image.outcome === 'pinned' || image.outcome === 'refreshed';
    const values = isChanged ? {} : { currentValue: image.image.reference, ...proposed };
    return [{ message, severity, ...placeOf(image.image, values, valueAt) }];
  });
  return [...faultResults(planned.faults), ...ofImages];
}

function messageOf({ image, outcome, to, error, note }: PlannedImage): string {
  if (error !== undefined) return `${error.message}; ${error.advice} [${error.code}]`;
  if (outcome === 'unmatched') return `no digest is known for ${image.reference}`;
  const change = image.reference === to ? image.reference : `${image.reference} -> ${to}`;
  return note === undefined ? change : `${change}: ${note}`;
}

/** The results of a run that checks. */
export function checkResults(
  findings: readonly Finding[],
  faults: readonly Fault[],
  valueAt: ValueAt,
): readonly Result[] {
  const ofFindings = findings.map((finding): Result => {
    const currentValue = valueAt(finding.path.split('/').slice(1));
    const place = placeOf(finding, currentValue === undefined ? {} : { currentValue }, valueAt);
    return { message: finding.message, severity: 'error', ...place };
  });
  return [...faultResults(faults), ...ofFindings];
}

function faultResults(faults: readonly Fault[]): Result[] {
  return faults.map(({ line, column, message }) => ({
    message: `line ${line}, column ${column} of the ResourceList: ${message}`,
    severity: 'error',
  }));
}

/** A field needs the name of its object; an object that names none is told by its file alone. */
function placeOf(place: Place, values: object, valueAt: ValueAt): Partial<Result> {
  const { pointer } = place.object;
  const object = valueAt(pointer.split('/').slice(1));
  if (!isJsonObject(object)) return {};
  const metadata = objectIn(object, 'metadata');
  const [apiVersion, kind] = [textOf(object, 'apiVersion'), textOf(object, 'kind')];
  const [name, namespace] = [textOf(metadata, 'name'), textOf(metadata, 'namespace')];
  const file = fileOf(objectIn(metadata, 'annotations'));
  if (apiVersion === undefined || kind === undefined || name === undefined) return file;
  const path = fieldPath(place.path.slice(pointer.length));
  return {
    resourceRef: { apiVersion, kind, ...(namespace !== undefined && { namespace }), name },
    field: { path, ...values },
    ...file,
  };
}

/** As the orchestrator noted it, in its newer or its older annotations. */
function fileOf(annotations: unknown): Pick<Result, 'file'> | object {
  if (!isJsonObject(annotations)) return {};
  for (const prefix of ['internal.config.kubernetes.io', 'config.kubernetes.io']) {
    const path = textOf(annotations, `${prefix}/path`);
    const index = Number(annotations[`${prefix}/index`] ?? 0);
    if (path !== undefined) return { file: { path, ...(index > 0 && { index }) } };
  }
  return {};
}

/** `/spec/containers/0/image` as the specification writes it: `spec.containers[0].image`. */
function fieldPath(pointer: string): string {
  return pointer
    .slice(1)
    .split('/')
    .reduce((path, step) => (/^\d+$/.test(step) ? `${path}[${step}]` : `${path}.${step}`));
}
