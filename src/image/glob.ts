/** The literal texts of a pattern, between its `*`. */
interface Glob {
  readonly first: string;
  readonly middle: readonly string[];
  /** Undefined for a pattern without `*`. */
  readonly last: string | undefined;
}

/**
 * Compiles patterns in which `*` stands for any text, slashes too. Each `*` costs one scan for the
 * next literal, so a pattern cannot be made slow by what it is held against.
 */
export function compileGlobs(patterns: readonly string[]): (text: string) => boolean {
  const globs = patterns.map(compile);
  return (text) => globs.some((glob) => matches(glob, text));
}

function compile(pattern: string): Glob {
  const [first = '', ...rest] = pattern.split('*');
  return { first, middle: rest.slice(0, -1), last: rest.at(-1) };
}

function matches({ first, middle, last }: Glob, text: string): boolean {
  if (last === undefined) return text === first;
  if (!text.startsWith(first) || !text.endsWith(last)) return false;
  const end = text.length - last.length;
  let from = first.length;
  for (const literal of middle) {
    const at = text.indexOf(literal, from);
    if (at === -1) return false;
    from = at + literal.length;
  }
  return from <= end;
}
