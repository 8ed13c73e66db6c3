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

/** The same, for who has to tell: the first pattern that fits, undefined where none does. */
export function compileGlobNames(
  patterns: readonly string[],
): (text: string) => string | undefined {
  const globs = patterns.map((pattern) => ({ pattern, glob: compile(pattern) }));
  return (text) => globs.find(({ glob }) => matches(glob, text))?.pattern;
}

/**
 * As {@link compileGlobs}, for names of images, where a `*` before the first slash stays there: the host is matched
 * by itself. `*` alone is everything; another pattern without a slash is nothing.
 */
export function compileNameGlobs(patterns: readonly string[]): (name: string) => boolean {
  const globs = patterns.map((pattern) => {
    if (pattern === '*') return (): boolean => true;
    const { host, path } = splitHost(pattern);
    const [isHost, isPath] = [compileGlobs([host]), compileGlobs([path])];
    return (name: string): boolean => {
      const split = splitHost(name);
      return isHost(split.host) && isPath(split.path);
    };
  });
  return (name) => globs.some((matchesName) => matchesName(name));
}

/** The path has its slash, so that one of nothing is told from none. */
function splitHost(name: string): { readonly host: string; readonly path: string } {
  const slash = name.indexOf('/');
  return slash === -1
    ? { host: name, path: '' }
    : { host: name.slice(0, slash), path: name.slice(slash) };
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
