import { PinError } from '../errors.ts';
import { listManifests, STDIN } from '../files/disk.ts';
import { VALUES_NOTE } from '../files/helm-values.ts';
import { readFrom, type Streams } from '../files/streams.ts';
import { writeYaml } from '../files/yaml.ts';
import { printable, printableJson } from '../image/printable.ts';
import { parseExtraKinds } from '../workload/extra-kinds.ts';
import { type Constraint, EVERYTHING, readConstraints } from './constraint.ts';
import { type CheckedFile, type CheckRules, checkText } from './findings.ts';
import {
  type CheckReport,
  fails,
  findingLines,
  plainReport,
  reportOf,
  summaryLines,
} from './report.ts';
import { sarifOf } from './sarif.ts';

/** What `tagpin check` was asked. */
export interface CheckOptions {
  readonly paths: readonly string[];
  readonly constraint: readonly string[];
  readonly strict: boolean;
  readonly namespace: string;
  readonly extraKind: readonly string[];
  readonly helmValues: boolean;
  readonly format: CheckFormat;
  /** Of tagpin, for reports that name their tool. */
  readonly version: string;
}

export type CheckFormat = 'text' | 'json' | 'yaml' | 'sarif';

/**
 * Checks that images carry digests; resolves to whether they all do.
 *
 * @throws PinError `invalid_config` for a path or a constraint that cannot be read
 */
export async function runCheck(options: CheckOptions, streams: Streams): Promise<boolean> {
  if ([...options.paths, ...options.constraint].filter((path) => path === STDIN).length > 1) {
    throw new PinError('invalid_config', 'standard input can be read once');
  }
  const rules = await rulesOf(options, streams);
  const files = await listManifests(options.paths);
  const checked: CheckedFile[] = [];
  for (const file of files) {
    // oxlint-disable-next-line no-await-in-loop -- one text in memory after the other
    const read = await readFrom(file, streams);
    checked.push('text' in read ? checkText(file.path, read.text, rules) : unreadable(file, read));
  }
  const report = reportOf(checked);
  await streams.out(FORMATS[options.format](report, options.version));
  const notes = options.helmValues ? [VALUES_NOTE] : [];
  await streams.err(linesOf([...notes, ...summaryLines(report)]));
  return !fails(report);
}

const FORMATS: Readonly<Record<CheckFormat, (report: CheckReport, version: string) => string>> = {
  text: (report) => linesOf(findingLines(report)),
  json: (report) => `${printableJson(plainReport(report), 2)}\n`,
  yaml: (report) => writeYaml(plainReport(report)),
  sarif: (report, version) => `${printableJson(sarifOf(report, version), 2)}\n`,
};

async function rulesOf(options: CheckOptions, streams: Streams): Promise<CheckRules> {
  const lists = await Promise.all(
    options.constraint.map((file) => readConstraintFile(file, streams)),
  );
  const constraints = lists.length === 0 ? [EVERYTHING] : lists.flat();
  const { strict, namespace, helmValues } = options;
  const extraKinds = parseExtraKinds(options.extraKind);
  return { constraints, strict, namespace, find: { extraKinds, helmValues, readsAll: true } };
}

async function readConstraintFile(path: string, streams: Streams): Promise<readonly Constraint[]> {
  const read = await readFrom({ path }, streams);
  if ('text' in read) return readConstraints(read.text, path);
  throw new PinError('invalid_config', `Cannot read the constraint ${path}: it ${read.problem}`);
}

function unreadable(
  { path }: { readonly path: string },
  { problem }: { readonly problem: string },
): CheckedFile {
  const faults = [{ line: 1, column: 1, message: `the file ${problem}` }];
  return { file: path, findings: [], faults, unexamined: [], images: 0 };
}

/** A file may be a stranger's: an image with a line feed must not forge a line. */
function linesOf(lines: readonly string[]): string {
  return lines.map((line) => `${printable(line)}\n`).join('');
}
