import { join } from 'node:path';
import { PinError } from '../errors.ts';
import { type InputFile, listManifests, readText, STDIN } from '../files/disk.ts';
import { VALUES_NOTE } from '../files/helm-values.ts';
import { readFrom, type Streams } from '../files/streams.ts';
import { writeYaml } from '../files/yaml.ts';
import { compileGlobNames } from '../image/glob.ts';
import { printable, printableJson } from '../image/printable.ts';
import { parseExtraKinds } from '../workload/extra-kinds.ts';
import { createEntries, type Entries, type Entry, readEntries, readSetting } from './entries.ts';
import { planFiles } from './files.ts';
import { lagsOf } from './lag.ts';
import { readLock } from './lock.ts';
import { askOnce, type DigestOf, type Sources } from './plan.ts';
import { changeLines, fails, type PinReport, plainReport, problemLines } from './report.ts';
import { checkUsage, type PinOptions } from './usage.ts';
import { createWriter, type LockFile, type Uninterrupted } from './write.ts';

/** What is plugged into `tagpin pin`. */
export interface PinPorts {
  readonly streams: Streams;
  /** What asks a registry; not called where digests were given. Rejects with `invalid_config`. */
  readonly openRegistries: () => Promise<DigestOf>;
  readonly uninterrupted: Uninterrupted;
}

/**
 * Pins the images of files; resolves to whether nothing failed.
 *
 * @throws PinError `invalid_config` for a path, a lock or digests that cannot be read
 */
export async function runPin(options: PinOptions, ports: PinPorts): Promise<boolean> {
  checkUsage(options);
  const { streams } = ports;
  const files = await listManifests(options.paths);
  refuseCollisions(files, options);
  const entries = await readAllEntries(options, streams);
  const lockFile = options.lock === undefined ? undefined : readLockFile(options.lock);
  const writer = createWriter({ options, streams, uninterrupted: ports.uninterrupted, lockFile });
  const { helmValues } = options;
  const planned = await planFiles(files, {
    read: (file) => readFrom(file, streams),
    find: { extraKinds: parseExtraKinds(options.extraKind), helmValues, readsAll: false },
    style: { form: options.referenceForm, comment: options.comment, update: options.update },
    sources: await sourcesOf(options, { entries, lock: lockFile?.lock }, ports),
    onPlanned: writer.take,
  });
  const report: PinReport = {
    ...(await writer.end(planned)),
    unusedEntries: (entries?.unused() ?? []).map(spelled),
    unusedLocks: lockFile?.lock.unused() ?? [],
    lags: options.check && lockFile !== undefined ? lagsOf(planned, lockFile) : [],
  };
  await tell(report, options, streams);
  return !fails(report);
}

/** With given digests no registry is asked; nor for a check, unless it is to look for newer ones. */
async function sourcesOf(
  { check, update, skip }: PinOptions,
  known: Pick<Sources, 'entries' | 'lock'>,
  { openRegistries }: PinPorts,
): Promise<Sources> {
  const isOffline = known.entries !== undefined || (check && !update);
  const digestOf = isOffline ? undefined : askOnce(await openRegistries());
  return { ...known, digestOf, skippedBy: compileGlobNames(skip) };
}

async function readAllEntries(
  { from, set, fromAnyTag }: PinOptions,
  streams: Streams,
): Promise<Entries | undefined> {
  if (from.length === 0 && set.length === 0) return undefined;
  const lists: (readonly Entry[])[] = [];
  for (const path of from) {
    // oxlint-disable-next-line no-await-in-loop -- in the order of the command line
    const read = await readFrom({ path }, streams);
    if ('problem' in read) throw new PinError('invalid_config', `${path} ${read.problem}`);
    const entries = readEntries(read.text, path);
    if (entries.length === 0) throw new PinError('invalid_config', `${path} holds no digest`);
    lists.push(entries);
  }
  return createEntries([...lists.flat(), ...set.map(readSetting)], { anyTag: fromAnyTag });
}

function readLockFile(path: string): LockFile {
  const read = readText(path);
  // A lock that is not there yet will be.
  if ('problem' in read && !read.isMissing) {
    throw new PinError('invalid_config', `The lock ${path} ${read.problem}`);
  }
  const before = 'text' in read ? read.text : '';
  return { path, lock: readLock(before, path), before };
}

function refuseCollisions(files: readonly InputFile[], { output }: PinOptions): void {
  if (output === undefined) return;
  const seen = new Map<string, string>();
  for (const { path, below } of files) {
    const other = seen.get(below);
    if (other !== undefined && path !== STDIN) {
      throw new PinError(
        'invalid_config',
        `${other} and ${path} would both be ${join(output, below)}`,
      );
    }
    seen.set(below, path);
  }
}

/** Names of files and images may be a stranger's: none is to forge a line, or move a cursor. */
async function tell(report: PinReport, options: PinOptions, streams: Streams): Promise<void> {
  const isPiped = options.paths.includes(STDIN);
  const isQuiet = options.dryRun || options.check || isPiped || options.format !== 'text';
  const changes = isQuiet ? [] : changeLines(report);
  const notes = options.helmValues ? [VALUES_NOTE] : [];
  await streams.err(
    [...changes, ...notes, ...problemLines(report)].map((line) => `${printable(line)}\n`).join(''),
  );
  if (options.format === 'json') await streams.out(`${printableJson(plainReport(report), 2)}\n`);
  if (options.format === 'yaml') await streams.out(writeYaml(plainReport(report)));
}

function spelled({ name, tag, digest, origin }: Entry): string {
  return `${name}${tag === undefined ? '' : `:${tag}`}@${digest} (${origin})`;
}
