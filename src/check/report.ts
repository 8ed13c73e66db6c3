import type { Fault } from '../files/manifest.ts';
import type { CheckedFile, Finding } from './findings.ts';

/** A part of a file that was not judged. */
interface Unread extends Fault {
  readonly file: string;
}

/** All verdicts of a run. */
export interface CheckReport {
  readonly findings: readonly Finding[];
  readonly unread: readonly Unread[];
  /** How many unpinned images the policy does not look at, by kind. */
  readonly unexamined: Readonly<Record<string, number>>;
  readonly files: number;
  readonly images: number;
}

/** Puts the verdicts on files together. */
export function reportOf(files: readonly CheckedFile[]): CheckReport {
  const unexamined: Record<string, number> = {};
  for (const kind of files.flatMap((file) => file.unexamined).toSorted()) {
    unexamined[kind] = (unexamined[kind] ?? 0) + 1;
  }
  return {
    findings: files.flatMap(({ findings }) => findings),
    unread: files.flatMap(({ file, faults }) => faults.map((fault) => ({ file, ...fault }))),
    unexamined,
    files: files.length,
    images: files.reduce((sum, { images }) => sum + images, 0),
  };
}

/** Tells whether the run is to fail: a finding that denies, or a file that could not be judged. */
export function fails({ findings, unread }: CheckReport): boolean {
  return unread.length > 0 || findings.some(({ denies }) => denies);
}

/** One line a finding, as compilers write them. */
export function findingLines({ findings }: CheckReport): readonly string[] {
  return findings.map(({ file, line, column, message, object, constraint, denies }) => {
    const namespace = object.namespace === '' ? '' : `${object.namespace}/`;
    const by = constraint === undefined ? '' : ` [${constraint}]`;
    const level = denies ? '' : 'warning: ';
    const where = `${object.kind} ${namespace}${object.name}`.trimEnd();
    return `${file}:${line}:${column}: ${level}${message} (${where})${by}`;
  });
}

/** What is said beside the findings, on standard error. */
export function summaryLines(report: CheckReport): readonly string[] {
  const { findings, unread, files, images } = report;
  const lines = unread.map(
    ({ file, line, column, message }) => `${file}:${line}:${column}: ${message}`,
  );
  const unexamined = unexaminedText(report);
  if (unexamined !== undefined) lines.push(unexamined);
  const failed = unread.length > 0 ? `, ${counted(unread.length, 'place')} unread` : '';
  const looked = `${counted(images, 'image')} in ${counted(files, 'file')}`;
  return [...lines, `${looked}: ${counted(findings.length, 'finding')}${failed}`];
}

/** How many unpinned images were not judged; undefined where all were. */
export function unexaminedText({ unexamined }: CheckReport): string | undefined {
  const kinds = Object.entries(unexamined);
  if (kinds.length === 0) return undefined;
  const count = kinds.reduce((sum, [, number]) => sum + number, 0);
  const list = kinds.map(([kind, number]) => `${kind} ${number}`).join(', ');
  return `${counted(count, 'unpinned image')} where K8sImageDigests does not look (${list}): use --strict to check them`;
}

/** The report for programs. */
export function plainReport(report: CheckReport): object {
  return {
    ...report,
    findings: report.findings.map(({ denies, object, ...finding }) => ({
      ...finding,
      kind: object.kind,
      namespace: object.namespace,
      name: object.name,
      level: denies ? 'error' : 'warning',
    })),
  };
}

function counted(count: number, noun: string): string {
  return `${count} ${noun}${count === 1 ? '' : 's'}`;
}
