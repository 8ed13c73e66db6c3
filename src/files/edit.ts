/** Text that takes the place of a range; the end is excluded. */
export interface Edit {
  readonly start: number;
  readonly end: number;
  readonly text: string;
}

/**
 * Replaces the ranges and leaves every other character as it is. The same edit twice counts once.
 *
 * @throws Error for ranges that overlap: a defect of the caller
 */
export function applyEdits(text: string, edits: readonly Edit[]): string {
  let result = '';
  let from = 0;
  for (const edit of inOrder(edits)) {
    result += text.slice(from, edit.start) + edit.text;
    from = edit.end;
  }
  return result + text.slice(from);
}

/** The edits from first to last, each once. */
export function inOrder(edits: readonly Edit[]): readonly Edit[] {
  const sorted = edits.toSorted((one, other) => one.start - other.start || one.end - other.end);
  const distinct = sorted.filter((edit, index) => !isSame(edit, sorted[index - 1]));
  distinct.forEach((edit, index) => {
    const before = distinct[index - 1];
    if (before !== undefined && edit.start < before.end) {
      throw new Error(`Edits overlap at offset ${edit.start}`);
    }
  });
  return distinct;
}

function isSame(edit: Edit, other: Edit | undefined): boolean {
  return edit.start === other?.start && edit.end === other.end && edit.text === other.text;
}
