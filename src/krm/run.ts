import { type Constraint, EVERYTHING } from '../check/constraint.ts';
import { checkText } from '../check/findings.ts';
import { PinError } from '../errors.ts';
import { readText, STDIN } from '../files/disk.ts';
import type { Edit } from '../files/edit.ts';
import { readFrom, type Streams } from '../files/streams.ts';
import { compileGlobNames } from '../image/glob.ts';
import { readReference } from '../image/read-reference.ts';
import { normalizedName } from '../image/reference.ts';
import { createEntries, readEntries } from '../pin/entries.ts';
import { planFiles } from '../pin/files.ts';
import { readLock } from '../pin/lock.ts';
import { askOnce, type DigestOf, type Sources } from '../pin/plan.ts';
import { parseExtraKinds } from '../workload/extra-kinds.ts';
import { type FunctionConfig, readFunctionConfig } from './function-config.ts';
import { type ResourceList, readResourceList } from './resource-list.ts';
import { checkResults, pinResults, type Result } from './results.ts';

/** What is plugged into `tagpin fn`. */
export interface FunctionPorts {
  readonly streams: Streams;
  /** What asks a registry; not called where digests were given, nor for a check. */
  readonly openRegistries: () => Promise<DigestOf>;
  /** Globs of normalised names that are left alone, where the functionConfig names none. */
  readonly skip: readonly string[];
}

interface Outcome {
  readonly edits: readonly Edit[];
  readonly results: readonly Result[];
}

/**
 * Runs as a function of kustomize: a ResourceList from standard input, pinned or checked, to standard
 * output, with results. Where any of them is an error, its items keep all of their bytes. Resolves
 * to whether none is.
 *
 * @throws PinError `invalid_config` for a list, a configuration or a lock that cannot be read
 */
export async function runFunction({ streams, ...ports }: FunctionPorts): Promise<boolean> {
  const read = await readFrom({ path: STDIN }, streams);
  if ('problem' in read) {
    throw new PinError('invalid_config', `The ResourceList ${read.problem}`);
  }
  const list = readResourceList(read.text);
  const config = readFunctionConfig(list.functionConfig);
  const skippedBy = compileGlobNames(config.skip ?? ports.skip);
  const { edits, results } =
    config.mode === 'pin'
      ? await pinned(list, config, await sourcesOf(config, skippedBy, ports.openRegistries))
      : checked(list, config, skippedBy);
  await streams.out(list.written(edits, results));
  const problems = results.filter(({ severity }) => severity !== 'info');
  await streams.err(problems.map((result) => `tagpin: ${result.message}\n`).join(''));
  return !results.some(({ severity }) => severity === 'error');
}

async function pinned(
  { text, valueAt }: ResourceList,
  { referenceForm: form, comment, update, extraKinds }: FunctionConfig,
  sources: Sources,
): Promise<Outcome> {
  const [planned] = await planFiles([{ path: STDIN, below: STDIN }], {
    read: () => Promise.resolve({ text }),
    find: findOptions(extraKinds),
    style: { form, comment, update },
    sources,
    onPlanned: () => {},
  });
  if (planned === undefined) return { edits: [], results: [] };
  return { edits: planned.edits, results: pinResults(planned, valueAt) };
}

/** Every location is looked at: a function has no policy beside it that would say otherwise. */
function checked(
  { text, valueAt }: ResourceList,
  { extraKinds }: FunctionConfig,
  skippedBy: Sources['skippedBy'],
): Outcome {
  const constraint: Constraint = { ...EVERYTHING, isExempt: (image) => isExempt(image, skippedBy) };
  const { findings, faults } = checkText(STDIN, text, {
    constraints: [constraint],
    strict: true,
    namespace: '',
    find: findOptions(extraKinds),
  });
  return { edits: [], results: checkResults(findings, faults, valueAt) };
}

function isExempt(image: string, skippedBy: Sources['skippedBy']): boolean {
  const reference = readReference(image);
  // What is no reference is a finding.
  return reference !== undefined && skippedBy(normalizedName(reference)) !== undefined;
}

function findOptions(extraKinds: readonly string[]): Parameters<typeof checkText>[2]['find'] {
  return { extraKinds: parseExtraKinds(extraKinds), helmValues: false, readsAll: true };
}

async function sourcesOf(
  { digests, lock }: FunctionConfig,
  skippedBy: Sources['skippedBy'],
  openRegistries: () => Promise<DigestOf>,
): Promise<Sources> {
  const list = readEntries(digests.join('\n'), 'digests');
  const entries = list.length === 0 ? undefined : createEntries(list, { anyTag: false });
  const digestOf = entries === undefined ? askOnce(await openRegistries()) : undefined;
  return { entries, lock: lock === undefined ? undefined : openLock(lock), digestOf, skippedBy };
}

function openLock(path: string): Sources['lock'] {
  const read = readText(path);
  if ('problem' in read) {
    throw new PinError('invalid_config', `The lock ${path} ${read.problem}`);
  }
  return readLock(read.text, path);
}
