import type { PinError } from '../errors.ts';

/** As the guard of registries writes what would allow a refused one (registry/guard.ts). */
const FLAG = /(?<flag>--(?:allow-registry|allow-address|plain-http)) (?<value>[^\s()]+)/g;

/**
 * The flags of `tagpin serve` that would allow what was refused, each once: one line to paste.
 * Undefined where no flag allows it.
 */
export function allowingFlags(errors: readonly PinError[]): string | undefined {
  const values = new Map<string, Set<string>>();
  for (const { code, message } of errors) {
    if (code !== 'blocked_address') continue;
    for (const { groups: { flag = '', value = '' } = {} } of message.matchAll(FLAG)) {
      const known = values.get(flag) ?? new Set();
      values.set(flag, known);
      for (const item of value.split(',')) known.add(item);
    }
  }
  if (values.size === 0) return undefined;
  return [...values]
    .toSorted(([one], [other]) => (one < other ? -1 : 1))
    .map(([flag, items]) => `${flag} ${[...items].toSorted().join(',')}`)
    .join(' ');
}
