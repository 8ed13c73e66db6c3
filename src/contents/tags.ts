import { type PinError, toPinError } from '../errors.ts';
import type { Streams } from '../files/streams.ts';
import { failureLine } from './failure-line.ts';
import { createProgressBar } from './progress.ts';
import type { Registries } from './registries.ts';
import {
  TAG_REPORTS,
  type TagEnding,
  type TagFormat,
  type TagReport,
  type Unlisted,
  unlisted,
} from './tag-report.ts';
import { isFailure, type TagFailure, type TagQuery, type TagRow, tagRows } from './tag-rows.ts';

/** What `tagpin tags` was asked. */
export interface TagsOptions extends TagQuery {
  readonly format: TagFormat;
}

/** What became of a list. */
interface Listed extends TagEnding {
  /** How many tags were told. */
  readonly tagged: number;
  /** Whether a digest was told that has no tag. */
  readonly hasUntagged: boolean;
}

/** Lists the tags of a repository as they come; resolves to whether all could be told. */
export async function runTags(
  options: TagsOptions,
  registries: Registries,
  streams: Streams,
): Promise<boolean> {
  const report = TAG_REPORTS[options.format](options);
  const listed = await list(options, registries, { streams, report });
  await streams.out(report.end(listed));
  const ending = endingLines(options, listed);
  await streams.err(ending.map((line) => `tagpin: ${line}\n`).join(''));
  return ending.length === 0;
}

interface Output {
  readonly streams: Streams;
  readonly report: TagReport;
}

async function list(
  query: TagQuery,
  registries: Registries,
  { streams, report }: Output,
): Promise<Listed> {
  const bar = createProgressBar(streams, 'tags', () => performance.now());
  const failures: Unlisted[] = [];
  let tagged = 0;
  let hasUntagged = false;
  const tell = async (batch: readonly (TagRow | TagFailure)[]): Promise<void> => {
    const found = batch.filter((row): row is TagRow => !isFailure(row));
    const failed = batch.filter(isFailure);
    const told = found.filter(({ tag }) => query.details || tag !== undefined);
    tagged += found.filter(({ tag }) => tag !== undefined).length;
    hasUntagged ||= found.some(({ tag }) => tag === undefined);
    failures.push(...failed.map(unlisted));
    const text = report.rows(told);
    const errors = failed
      .map(({ tag, error }) => failureLine(`${query.repository}:${tag}`, error))
      .join('');
    if (errors !== '' || (text !== '' && streams.onTerminal.out)) await bar.clear();
    await streams.out(text);
    await streams.err(errors);
  };
  let error: PinError | undefined;
  try {
    for await (const batch of tagRows(query, registries, bar)) await tell(batch);
  } catch (caught) {
    error = toPinError(caught);
  }
  await bar.clear();
  return { tagged, hasUntagged, failures, error };
}

function explained({ message, advice, code }: PinError): string {
  return `${message}; ${advice} [${code}]`;
}

/** Why not all was told, if so. */
function endingLines(query: TagQuery, { failures, error, ...listed }: Listed): string[] {
  const { repository } = query;
  const lines: string[] = [];
  if (failures.length > 0) {
    const counted = `${failures.length} tag${failures.length === 1 ? '' : 's'}`;
    lines.push(`${counted} of ${repository} could not be looked up`);
  }
  if (error !== undefined) {
    lines.push(`the tags of ${repository} could not all be listed: ${explained(error)}`);
  } else if (query.digest !== undefined && listed.tagged === 0) {
    lines.push(unnamed(query, listed.hasUntagged, failures.length > 0));
  }
  return lines;
}

function unnamed({ repository, digest }: TagQuery, isThere: boolean, hasFailures: boolean): string {
  if (hasFailures) return `none of the other tags of ${repository} names ${digest}`;
  const instead = isThere
    ? 'the registry has it without one'
    : 'it may be there without one, as the platforms of an index are';
  return `no tag of ${repository} names ${digest}; ${instead}`;
}
