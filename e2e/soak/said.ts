/** What tagpin's warnings say of one container. */
export interface Said {
  /** The code in brackets: why it is not pinned. */
  readonly reason?: string;
  /** The same of a restart that did not get an answer. */
  readonly keptFor?: string;
  /** What mode `warn` would write; several where the API server had to try an update again. */
  readonly wouldBe?: readonly string[];
  /** The digest is the last known one. */
  readonly isStale?: boolean;
}

const FAILED =
  /^Cannot resolve .* for (?:init )?container "([^"]+)": .*; the (tag|old pin) stays \[(\w+)\]$/s;
const WOULD_BE = /^(?:init )?container "([^"]+)" would be pinned to (\S+)$/;
const STALE = /^(?:init )?container "([^"]+)" is pinned to the digest known \d+ s ago/;

/** By container; of other warnings nothing. */
export function readWarnings(warnings: readonly string[]): ReadonlyMap<string, Said> {
  const all = new Map<string, Said>();
  for (const warning of warnings) {
    const [container, said] = read(warning) ?? [];
    if (container !== undefined) all.set(container, together(all.get(container) ?? {}, said ?? {}));
  }
  return all;
}

function together(one: Said, other: Said): Said {
  const wouldBe = [...(one.wouldBe ?? []), ...(other.wouldBe ?? [])];
  return { ...one, ...other, ...(wouldBe.length > 0 && { wouldBe }) };
}

function read(warning: string): readonly [string, Said] | undefined {
  const [, failed, what, code] = FAILED.exec(warning) ?? [];
  if (failed !== undefined && code !== undefined) {
    return [failed, what === 'tag' ? { reason: code } : { keptFor: code }];
  }
  const [, changed, wouldBe] = WOULD_BE.exec(warning) ?? [];
  if (changed !== undefined && wouldBe !== undefined) return [changed, { wouldBe: [wouldBe] }];
  const [, old] = STALE.exec(warning) ?? [];
  return old === undefined ? undefined : [old, { isStale: true }];
}
