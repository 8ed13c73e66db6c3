/** What a shell takes as it is. */
const PLAIN = /^[\w@%+=:,./-]+$/;

/** A command for a shell of POSIX, each of its words as it is meant. */
export function commandOf(...words: readonly string[]): string {
  return words.map((word) => (PLAIN.test(word) ? word : quotedWord(word))).join(' ');
}

function quotedWord(word: string): string {
  return `'${word.replaceAll("'", "'\\''")}'`;
}

/** One operation of JSON Patch (RFC 6902). */
export interface PatchOperation {
  readonly op: 'add' | 'test';
  readonly path: string;
  readonly value: unknown;
}

/** A command that patches an object of the cluster. */
export function patchCommand(kind: string, name: string, patch: readonly PatchOperation[]): string {
  return commandOf(
    'kubectl',
    'patch',
    kind,
    name,
    '--type=json',
    `--patch=${JSON.stringify(patch)}`,
  );
}
