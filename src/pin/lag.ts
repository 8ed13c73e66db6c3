import type { PlannedFile } from './files.ts';
import type { Lock } from './lock.ts';

/** What keeps a lock from being the one that a run would write: empty where nothing does. */
export function lagsOf(
  files: readonly PlannedFile[],
  { lock, before }: { readonly lock: Lock; readonly before: string },
): readonly string[] {
  const missing = files.flatMap(({ images }) =>
    images.filter(({ outcome }) => outcome === 'unmatched').map(({ image }) => image.reference),
  );
  const differing = files.flatMap(({ file, images }) =>
    images.flatMap(({ image, outcome, note }) =>
      outcome === 'already_pinned' && note !== undefined
        ? [`${file.path}:${image.line} is ${image.reference}; ${note}`]
        : [],
    ),
  );
  const old = new Set(before.split('\n'));
  const changed = lock
    .toText()
    .split('\n')
    .filter((line) => line !== '' && !line.startsWith('#') && !old.has(line));
  return [
    ...new Set(missing.map((reference) => `it has no digest for ${reference}`)),
    ...differing,
    ...changed.map((line) => `it would have ${line}`),
  ];
}
