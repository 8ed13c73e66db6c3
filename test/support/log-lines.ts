import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

const SOURCES = join(import.meta.dirname, '..', '..', 'src');

/** Who makes messages of what it is told, and of what. */
const MADE = [
  {
    call: 'createPolledFiles',
    argument: /\bwhat: '([^']+)'/,
    message: (what: string) => `${what} not loaded`,
  },
  {
    call: 'createOutageLog',
    argument: /, '([^']+)'/,
    message: (what: string) => `${what} not written`,
  },
] as const;

/**
 * The messages of all lines of level `warn` and `error` that the sources write, by what stands in
 * them: the last text of each call.
 *
 * @throws Error for a call whose message is not found
 */
export function logMessages(): ReadonlySet<string> {
  const messages = new Set<string>();
  for (const name of readdirSync(SOURCES, { recursive: true, encoding: 'utf8' })) {
    if (!name.endsWith('.ts')) continue;
    for (const message of messagesOf(readFileSync(join(SOURCES, name), 'utf8'), name))
      messages.add(message);
  }
  return messages;
}

function messagesOf(source: string, name: string): string[] {
  const written = callsOf(source, /\blog\.(?:warn|error)\(/g).flatMap((call) => {
    const [, text] = /(?:'([^']*)'|`([^`]*)`|\b([A-Z_]+)),?\s*$/.exec(call) ?? [];
    if (text !== undefined) return [text];
    // What is put together of what a caller names is found at the callers.
    if (/`\$\{what\} not \w+`,?\s*$/.test(call)) return [];
    const constant = /\b([A-Z_]+),?\s*$/.exec(call)?.[1] ?? '';
    const value = new RegExp(`const ${constant} =\\s*'([^']+)'`).exec(source)?.[1];
    if (value === undefined) throw new Error(`No message was found in ${name}: ${call}`);
    return [value];
  });
  const made = MADE.flatMap(({ call: by, argument, message }) =>
    callsOf(source, new RegExp(`(?<!function )\\b${by}\\(`, 'g')).map((call) => {
      const what = argument.exec(call)?.[1];
      if (what === undefined) throw new Error(`No name was found in ${name}: ${call}`);
      return message(what);
    }),
  );
  const own = [...source.matchAll(/\blevel: '(?:warn|error)',[^}]*\bmessage: '([^']+)'/g)];
  return [...written, ...made, ...own.map(([, text = '']) => text)];
}

/** What stands between the parentheses of each call that the pattern ends with the first of. */
function callsOf(source: string, pattern: RegExp): string[] {
  return [...source.matchAll(pattern)].map(({ 0: head, index }) => {
    const start = index + head.length;
    let depth = 1;
    let end = start;
    for (; depth > 0 && end < source.length; end += 1) {
      if (source[end] === '(') depth += 1;
      if (source[end] === ')') depth -= 1;
    }
    return source.slice(start, end - 1);
  });
}
