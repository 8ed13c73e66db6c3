import { getDomain } from 'tldts';
import { PinError } from '../errors.ts';
import type { Challenge } from './challenge.ts';

/** Where a challenge sends for a token. Throws `unauthorized` where it says nothing of use. */
export function realmOf(registry: URL, challenge: Pick<Challenge, 'params'>): URL {
  const realm = URL.parse(challenge.params['realm'] ?? '', registry.href);
  if (challenge.params['realm'] !== undefined && realm !== null) return realm;
  const message = `${registry.host} answered 401 with a challenge that names no token server`;
  throw new PinError('unauthorized', message, { host: registry.hostname });
}

/**
 * A registry names its token server itself, so a hostile one could name a place to collect
 * credentials. They go to the same host, or over https to the same registrable domain
 * (`registry-1.docker.io` and `auth.docker.io`); anything else is asked without. No http after https.
 */
export function mayHaveCredentials(registry: URL, realm: URL): boolean {
  if (realm.origin === registry.origin) return true;
  if (realm.protocol !== 'https:' && realm.protocol !== registry.protocol) return false;
  if (realm.hostname === registry.hostname) return true;
  return realm.protocol === 'https:' && shareDomain(registry, realm);
}

/** Whether one host may lead to another for which the operator allows more than for any. */
export function mayVouchFor(from: URL, to: URL): boolean {
  return from.hostname === to.hostname || shareDomain(from, to);
}

function shareDomain(one: URL, other: URL): boolean {
  const domain = getDomain(one.hostname, { allowPrivateDomains: true });
  return domain !== null && domain === getDomain(other.hostname, { allowPrivateDomains: true });
}
