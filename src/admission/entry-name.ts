import { MODES, type Mode } from './policy.ts';

/** What entries of the webhook configuration are called for: Pods, or objects with a pod template. */
export const ENTRY_LEVELS = ['pods', 'workloads'] as const;
export type EntryLevel = (typeof ENTRY_LEVELS)[number];

/** An entry as the manifests name it, and the API server in refusals and metrics. */
export function entryName(level: EntryLevel, mode: Mode): string {
  return `${level}.${mode}.tagpin.dev`;
}

const ENTRY_NAMES: ReadonlySet<string> = new Set(
  MODES.flatMap((mode) => ENTRY_LEVELS.map((level) => entryName(level, mode))),
);

/** Whether a webhook of that name is one of tagpin's that pin. */
export function isEntryName(name: string): boolean {
  return ENTRY_NAMES.has(name);
}
