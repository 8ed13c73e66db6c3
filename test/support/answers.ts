import { readFileSync } from 'node:fs';

import { computeDigest } from '../../src/image/digest.ts';
import type { Rule } from './scripted-registry.ts';
import type { Place } from './world.ts';

/** Real bytes of a registry. */
export const INDEX: Buffer = readFileSync(new URL('../golden/pause-3.2.index', import.meta.url));
export const INDEX_DIGEST: string = computeDigest(INDEX);
export const INDEX_TYPE = 'application/vnd.docker.distribution.manifest.list.v2+json';
/** Of no bytes in particular. */
export const OTHER_DIGEST: string = `sha256:${'a'.repeat(64)}`;

/** The tag is there: a HEAD tells its digest. */
export function told(digest: string = INDEX_DIGEST): Rule {
  return { headers: { 'docker-content-digest': digest, 'content-type': INDEX_TYPE } };
}

/** The tag is there, and every answer has its bytes. */
export function served(headers: Rule['headers'] = {}, body: string | Uint8Array = INDEX): Rule {
  return { headers: { 'content-type': INDEX_TYPE, ...headers }, body };
}

/** For whoever sends this header. */
export function withAuthorization(authorization: string, rule: Rule = told()): Rule {
  return { ...rule, when: { ...rule.when, headers: { authorization } } };
}

export function unauthorized(...challenges: readonly string[]): Rule {
  return { status: 401, headers: { 'www-authenticate': challenges } };
}

/** A token server's answer at `/token`. */
export function issues(answer: unknown, rule: Rule = {}): Rule {
  return { when: { path: '/token' }, body: JSON.stringify(answer), ...rule };
}

export function methodsOf({ requests }: Place): string[] {
  return requests.map(({ method }) => method);
}
