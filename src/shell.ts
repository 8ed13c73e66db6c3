/** What a shell takes as it is. */
const PLAIN = /^[\w@%+=:,./-]+$/;

/** A command for a shell of POSIX, each of its words as it is meant. */
export function commandOf(...words: readonly string[]): string {
  return words.map((word) => (PLAIN.test(word) ? word : quotedWord(word))).join(' ');
}

/** A text as one word, whatever it is made of (POSIX.1-2024 Shell Command Language 2.2.2). */
export function quotedWord(text: string): string {
  return `'${text.replaceAll("'", "'\\''")}'`;
}
