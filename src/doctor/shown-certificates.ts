import { readCertificates } from '../certificates/certificate.ts';
import type { Entry } from '../certificates/entries.ts';
import { isJsonObject, listOf, objectAt, parseJson, textOf } from '../json.ts';
import { isSignedBy } from './chain.ts';
import { type Fact, valueOf } from './fact.ts';
import type { Facts } from './facts.ts';
import { featuresOf } from './features.ts';
import { hostOf } from './origin.ts';

/** What is known of the certificates that the API server is shown. */
export interface Shown {
  /** PEM, from the server's own on; nothing where that is in the memory of the replicas alone. */
  readonly chain: readonly string[];
  /** PEM of the authorities that sign it, where they are known. */
  readonly authorities: readonly string[];
  readonly host: string | undefined;
}

/** What a server shows that answers; else what its Secret holds. */
export function shownTo(target: Entry['target'] | undefined, facts: Facts): Fact<Shown> {
  const secret = secretOf(facts);
  if (target?.kind !== 'url') return secret;
  const handshake = facts.handshakes.get(target.origin);
  if (handshake?.state !== 'shown') {
    return { state: 'unread', why: 'no certificate was shown from here' };
  }
  const authorities = valueOf(secret)?.authorities ?? [];
  const own = authorities.filter((pem) => isSignedBy(handshake.chain, [pem]));
  return {
    state: 'read',
    value: { chain: handshake.chain, authorities: own, host: hostOf(target.origin) },
  };
}

/** Of the Secret nothing but certificates is taken: its keys are nobody's business. */
function secretOf({ secret, deployment, installation }: Facts): Fact<Shown> {
  if (secret.state !== 'read') return secret;
  const { namespace } = installation;
  const data = objectAt(secret.value, ['data']);
  const text = (key: string): string =>
    Buffer.from(textOf(data, key) ?? '', 'base64').toString('utf8');
  const host = `tagpin.${namespace}.svc`;
  if (featuresOf(valueOf(deployment), namespace).builtIn === undefined) {
    const chain = readCertificates(text('tls.crt')).map(({ pem }) => pem);
    const authorities = readCertificates(text('ca.crt')).map(({ pem }) => pem);
    return { state: 'read', value: { chain, authorities, host } };
  }
  const state = parseJson(text('certificates.json'));
  const generations = isJsonObject(state) ? listOf(state, 'generations').filter(isJsonObject) : [];
  const authorities = generations.flatMap((one) =>
    readCertificates(textOf(one, 'certificate') ?? ''),
  );
  return {
    state: 'read',
    value: { chain: [], authorities: authorities.map(({ pem }) => pem), host },
  };
}
