/**
 * Compiles patterns in which `*` stands for any text, slashes too. Each `*` costs one scan for the
 * next literal, so a pattern cannot be made slow by what it is held against.
 */
export function compileGlobs(patterns: readonly string[]): (text: string) => boolean {
  const compiled = patterns.map((pattern) => pattern.split('*'));
  return (text) => compiled.some((literals) => matches(literals, text));
}

function matches(literals: readonly string[], text: string): boolean {
  const first = literals[0] ?? '';
  const last = literals.at(-1) ?? '';
  if (literals.length === 1) return text === first;
  if (text.length < first.length + last.length) return false;
  if (!text.startsWith(first) || !text.endsWith(last)) return false;
  const end = text.length - last.length;
  let from = first.length;
  for (const literal of literals.slice(1, -1)) {
    const at = text.indexOf(literal, from);
    if (at === -1 || at + literal.length > end) return false;
    from = at + literal.length;
  }
  return true;
}
