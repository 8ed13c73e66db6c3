import { PinError } from '../errors.ts';
import { STDIN } from '../files/disk.ts';
import type { ReferenceForm } from '../image/reference.ts';

/** What `tagpin pin` was asked. */
export interface PinOptions {
  readonly paths: readonly string[];
  readonly dryRun: boolean;
  /** A folder to write to, in place of the files themselves. */
  readonly output: string | undefined;
  readonly referenceForm: ReferenceForm;
  readonly comment: boolean;
  readonly update: boolean;
  readonly from: readonly string[];
  readonly set: readonly string[];
  readonly fromAnyTag: boolean;
  /** Globs of normalised names that no registry is asked for. */
  readonly skip: readonly string[];
  readonly lock: string | undefined;
  /** Write nothing, and fail where the lock lags. */
  readonly check: boolean;
  readonly extraKind: readonly string[];
  readonly helmValues: boolean;
  readonly format: PinFormat;
}

export type PinFormat = 'text' | 'json' | 'yaml';

/** Options that make no sense together, with what is said of them. */
const CONFLICTS: readonly (readonly [(options: PinOptions) => boolean, string])[] = [
  [({ paths }) => paths.length === 0, 'name a file, a folder, or - for standard input'],
  [({ paths, from }) => timesStdin([...paths, ...from]) > 1, 'standard input can be read once'],
  [({ check, lock }) => check && lock === undefined, '--check needs --lock FILE'],
  [({ dryRun, output }) => dryRun && output !== undefined, '--dry-run writes nothing to --output'],
  [({ check, dryRun }) => check && dryRun, '--check writes nothing: leave out --dry-run'],
  [
    ({ format, paths, dryRun }) => format !== 'text' && (dryRun || paths.includes(STDIN)),
    'standard output takes the manifest or the diff, and no report beside it',
  ],
  [
    ({ fromAnyTag, from, set }) => fromAnyTag && from.length + set.length === 0,
    '--from-any-tag needs --from or --set',
  ],
];

/** @throws PinError `invalid_config` for options that contradict one another */
export function checkUsage(options: PinOptions): void {
  const conflict = CONFLICTS.find(([isConflict]) => isConflict(options));
  if (conflict !== undefined) throw new PinError('invalid_config', conflict[1]);
}

function timesStdin(paths: readonly string[]): number {
  return paths.filter((path) => path === STDIN).length;
}
