import { commandOf } from '../shell.ts';
import type { Refused } from './document.ts';

/** The right to have explanations in a namespace: made for this alone, it names no object. */
export const EXPLAIN_RIGHT = {
  verb: 'get',
  group: 'tagpin.dev',
  resource: 'explanations',
} as const;

const ACCOUNT = /^system:serviceaccount:([^:]+):([^:]+)$/;
const MAX_NAME_CHARS = 253;

/** What somebody lacks, and the line to ask an administrator for. */
export function grantFor(username: string, namespace: string): Refused {
  const { verb, resource, group } = EXPLAIN_RIGHT;
  const name = username.slice(0, MAX_NAME_CHARS);
  const words = ['--namespace', namespace, '--clusterrole', 'tagpin-explain', ...subjectOf(name)];
  return {
    reason: 'forbidden',
    message: `${JSON.stringify(name)} may not ${verb} ${resource}.${group} in namespace ${JSON.stringify(namespace)}`,
    advice: `ask for this: ${commandOf('kubectl', 'create', 'rolebinding', 'tagpin-explain', ...words)}`,
  };
}

function subjectOf(username: string): readonly string[] {
  const [, namespace, account] = ACCOUNT.exec(username) ?? [];
  if (account !== undefined) return ['--serviceaccount', `${namespace}:${account}`];
  return ['--user', username];
}
