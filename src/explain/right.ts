import type { Refused } from './document.ts';

/** The right to have explanations in a namespace: made for this alone, it names no object. */
export const EXPLAIN_RIGHT = {
  verb: 'get',
  group: 'tagpin.dev',
  resource: 'explanations',
} as const;

const ACCOUNT = /^system:serviceaccount:([^:]+):([^:]+)$/;
/** What a shell takes as it is. */
const PLAIN = /^[\w.@:/-]+$/;
const MAX_NAME_CHARS = 253;

/** What somebody lacks, and the line to ask an administrator for. */
export function grantFor(username: string, namespace: string): Refused {
  const { verb, resource, group } = EXPLAIN_RIGHT;
  const name = username.slice(0, MAX_NAME_CHARS);
  return {
    reason: 'forbidden',
    message: `${JSON.stringify(name)} may not ${verb} ${resource}.${group} in namespace ${JSON.stringify(namespace)}`,
    advice: `ask for this: kubectl create rolebinding tagpin-explain --namespace ${namespace} --clusterrole tagpin-explain ${subjectOf(name)}`,
  };
}

function subjectOf(username: string): string {
  const [, namespace, account] = ACCOUNT.exec(username) ?? [];
  if (account !== undefined) return `--serviceaccount ${namespace}:${account}`;
  return `--user ${PLAIN.test(username) ? username : `'${username.replaceAll("'", `'\\''`)}'`}`;
}
