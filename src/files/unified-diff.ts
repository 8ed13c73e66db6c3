import { type Edit, inOrder } from './edit.ts';
import { lineAt } from './line-starts.ts';

const CONTEXT_LINES = 3;

interface Change {
  /** Index of the first old line, and of the line behind the last. */
  readonly first: number;
  readonly end: number;
  readonly lines: readonly string[];
}

/** The edits of a file in the unified format that `patch` and `git apply` read. */
export function unifiedDiff(name: string, text: string, edits: readonly Edit[]): string {
  const ordered = inOrder(edits);
  if (ordered.length === 0) return '';
  const lines = splitLines(text);
  const hunks = hunksOf(changesOf(text, lines, ordered));
  let shift = 0;
  let diff = `--- a/${name}\n+++ b/${name}\n`;
  for (const hunk of hunks) {
    const rendered = renderHunk(lines, hunk, shift);
    diff += rendered.text;
    shift += rendered.added;
  }
  return diff;
}

/** Lines with their ends; the last one may have none. */
function splitLines(text: string): string[] {
  return text.match(/[^\n]*\n|[^\n]+$/g) ?? [];
}

/** Edits that touch the same lines make one change. */
function changesOf(text: string, lines: readonly string[], edits: readonly Edit[]): Change[] {
  const starts = lineStarts(lines);
  const groups: { first: number; end: number; edits: Edit[] }[] = [];
  for (const edit of edits) {
    const first = lineAt(starts, edit.start);
    const end = lineAt(starts, edit.end) + 1;
    const last = groups.at(-1);
    if (last !== undefined && first < last.end) {
      last.end = Math.max(last.end, end);
      last.edits.push(edit);
    } else groups.push({ first, end, edits: [edit] });
  }
  return groups.map((group) => {
    const from = starts[group.first] ?? 0;
    let at = from;
    let replaced = '';
    for (const edit of group.edits) {
      replaced += text.slice(at, edit.start) + edit.text;
      at = edit.end;
    }
    replaced += text.slice(at, starts[group.end] ?? text.length);
    return withoutHead(lines, { ...group, lines: splitLines(replaced) });
  });
}

/** A line that was added behind others leaves those as they are. */
function withoutHead(old: readonly string[], { first, end, lines }: Change): Change {
  let same = 0;
  while (first + same < end && old[first + same] === lines[same]) same += 1;
  return { first: first + same, end, lines: lines.slice(same) };
}

function lineStarts(lines: readonly string[]): number[] {
  let offset = 0;
  return lines.map((line) => {
    const start = offset;
    offset += line.length;
    return start;
  });
}

/** Changes whose context would touch share a hunk. */
function hunksOf(changes: readonly Change[]): Change[][] {
  const hunks: Change[][] = [];
  for (const change of changes) {
    const last = hunks.at(-1)?.at(-1);
    if (last !== undefined && change.first - last.end <= 2 * CONTEXT_LINES) {
      hunks.at(-1)?.push(change);
    } else hunks.push([change]);
  }
  return hunks;
}

function renderHunk(
  lines: readonly string[],
  hunk: readonly Change[],
  shift: number,
): { readonly text: string; readonly added: number } {
  const from = Math.max(0, (hunk[0]?.first ?? 0) - CONTEXT_LINES);
  const to = Math.min(lines.length, (hunk.at(-1)?.end ?? 0) + CONTEXT_LINES);
  let at = from;
  let added = 0;
  const body: string[] = [];
  for (const change of hunk) {
    body.push(...marked(' ', lines.slice(at, change.first)));
    body.push(...marked('-', lines.slice(change.first, change.end)), ...marked('+', change.lines));
    added += change.lines.length - (change.end - change.first);
    at = change.end;
  }
  body.push(...marked(' ', lines.slice(at, to)));
  const count = to - from;
  const header = `@@ -${from + 1},${count} +${from + 1 + shift},${count + added} @@\n`;
  return { text: header + body.join(''), added };
}

function marked(mark: string, lines: readonly string[]): string[] {
  return lines.map((line) =>
    line.endsWith('\n') ? mark + line : `${mark}${line}\n\\ No newline at end of file\n`,
  );
}
