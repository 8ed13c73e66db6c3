import { hasFailed, type PlannedFile, type Remark } from './files.ts';
import type { PinOutcome } from './plan.ts';

/** All that happened in a run, beside the files themselves. */
export interface PinReport {
  readonly files: readonly PlannedFile[];
  /** `PATH why` of files that could not be written. */
  readonly unwritten: readonly string[];
  /** Entries of `--from` and `--set` that fitted no image, as `name:tag@digest (where)`. */
  readonly unusedEntries: readonly string[];
  readonly unusedLocks: readonly string[];
  /** Why the lock lags, one line each. */
  readonly lags: readonly string[];
}

/** Tells whether the run is to fail. */
export function fails({ files, unwritten, lags }: PinReport): boolean {
  return unwritten.length > 0 || lags.length > 0 || files.some(hasFailed);
}

/** One line for everything that changed. */
export function changeLines({ files }: PinReport): readonly string[] {
  return files
    .filter((file) => file.edits.length > 0)
    .flatMap(({ file, images }) =>
      images
        .filter(({ image, to }) => image.reference !== to)
        .map(({ image, to }) => `${at(file.path, image)}: ${image.reference} -> ${to}`),
    );
}

/** What failed, what is to be known, and the summary. */
export function problemLines(report: PinReport): readonly string[] {
  const { files, unwritten, unusedEntries, unusedLocks, lags } = report;
  return [
    ...files.flatMap(linesOfFile),
    ...unwritten,
    ...unusedEntries.map((entry) => `unused: ${entry} fits no image`),
    ...unusedLocks.map((key) => `unused: the lock has ${key}, which no image names`),
    ...lags.map((lag) => `the lock lags: ${lag}`),
    summary(report),
  ];
}

function linesOfFile({ file, images, faults, notes }: PlannedFile): string[] {
  const ofImages = images.flatMap(({ image, outcome, error, note }) => {
    const where = `${at(file.path, image)}: ${image.label}`;
    if (error !== undefined) return [`${where}: ${error.message}; ${error.advice} [${error.code}]`];
    if (outcome === 'unmatched') return [`${where}: no digest is known for ${image.reference}`];
    return note === undefined ? [] : [`${where}: ${image.reference}: ${note}`];
  });
  const remark = (fault: Remark): string => `${at(file.path, fault)}: ${fault.message}`;
  return [...faults.map(remark), ...ofImages, ...notes.map(remark)];
}

function at(
  path: string,
  { line, column }: { readonly line: number; readonly column: number },
): string {
  return `${path}:${line}:${column}`;
}

const COUNTED: readonly (readonly [PinOutcome, string])[] = [
  ['pinned', 'pinned'],
  ['refreshed', 'refreshed'],
  ['unchanged', 'unchanged'],
  ['already_pinned', 'already pinned'],
  ['unmatched', 'unmatched'],
  ['no_tag', 'without a known tag'],
  ['skipped', 'skipped'],
  ['not_written', 'not written'],
  ['failed', 'failed'],
];

function summary({ files, unwritten }: PinReport): string {
  const images = files.flatMap((file) => file.images);
  const parts = COUNTED.flatMap(([outcome, word]) => {
    const count = images.filter((image) => image.outcome === outcome).length;
    return count === 0 ? [] : [`${count} ${word}`];
  });
  const left = files.filter(hasFailed).length + unwritten.length;
  const untouched = left === 0 ? '' : `; ${left} of ${files.length} files left as they were`;
  return `${counted(images.length, 'image')} in ${counted(files.length, 'file')}: ${parts.join(', ') || 'nothing to do'}${untouched}`;
}

function counted(count: number, noun: string): string {
  return `${count} ${noun}${count === 1 ? '' : 's'}`;
}

/** The report for programs. */
export function plainReport(report: PinReport): object {
  const { files, ...others } = report;
  return {
    files: files.map((planned) => ({
      file: planned.file.path,
      failed: hasFailed(planned),
      changed: planned.edits.length > 0,
      images: planned.images.map(({ image, outcome, to, error, note }) => ({
        line: image.line,
        column: image.column,
        document: image.document,
        kind: image.object.kind,
        namespace: image.object.namespace,
        name: image.object.name,
        path: image.path,
        image: image.reference,
        outcome,
        ...(outcome !== 'failed' && { result: to }),
        ...(error !== undefined && { reason: error.code, message: error.message }),
        ...(note !== undefined && { note }),
      })),
      faults: planned.faults,
      notes: planned.notes,
    })),
    ...others,
  };
}
