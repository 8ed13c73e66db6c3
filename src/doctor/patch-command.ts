import { commandOf } from '../shell.ts';

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
