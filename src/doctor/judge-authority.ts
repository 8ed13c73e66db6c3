import {
  type Certificate,
  isExpired,
  isValid,
  readCertificates,
} from '../certificates/certificate.ts';
import type { Entry } from '../certificates/entries.ts';
import { isJsonObject, listOf, textOf } from '../json.ts';
import { isFor, isSignedBy } from './chain.ts';
import { notLookedAt, valueOf } from './fact.ts';
import type { Facts } from './facts.ts';
import { featuresOf } from './features.ts';
import type { Finding, Remedy } from './finding.ts';
import {
  admissionEntries,
  CONFIGURATION_KIND,
  type Registration,
  registrationsOf,
} from './judge-registration.ts';
import { patchCommand } from './patch-command.ts';
import { logCommand } from './remedy.ts';
import { type Shown, shownTo } from './shown-certificates.ts';

const ID = 'ca-bundle';
/** As the alert `TagpinCertificateExpires`. */
const SOON_MS = 2 * 86_400_000;

/** Each caBundle once: entries that have the same are told of together. */
export function judgeAuthority(facts: Facts): readonly Finding[] {
  if (facts.configurations.state === 'unread') return [notLookedAt(ID, facts.configurations)];
  const [registration] = registrationsOf(facts);
  const entries = registration === undefined ? [] : admissionEntries(registration.object);
  if (registration === undefined || entries.length === 0) {
    return [{ id: ID, status: 'warning', says: 'not looked at: no entry calls tagpin' }];
  }
  const groups = Map.groupBy(entries, keyOf);
  return [...groups.values()].map((group) => judgeBundle(group, registration, facts));
}

function keyOf({ bundle, target }: Entry): string {
  const prints = bundle.map(({ fingerprint }) => fingerprint).join(' ');
  return `${target.kind === 'url' ? target.origin : ''} ${prints}`;
}

function judgeBundle(group: readonly Entry[], registration: Registration, facts: Facts): Finding {
  const bundle = group[0]?.bundle ?? [];
  const shown = shownTo(group[0]?.target, facts);
  const nowMs = facts.serverMs ?? facts.localMs;
  const about = aboutOf(group, registration);
  const failed = (says: string): Finding => {
    const remedy = rightBundle({ group, registration, shown: valueOf(shown), facts });
    return { id: ID, about, status: 'failed', says, ...remedy };
  };
  if (bundle.length === 0) return failed('holds no certificate: the API server trusts no answer');
  const valid = bundle.filter((one) => isValid(one, nowMs));
  if (valid.length === 0)
    return failed(`holds no certificate that is valid now (${datesOf(bundle)})`);
  if (shown.state === 'unread') return notLookedAt(ID, shown, about);
  if (shown.state === 'absent') {
    const says = 'is valid; that it signed what is shown was not looked at: no Secret is known';
    return { id: ID, about, status: 'warning', says };
  }
  const { chain, authorities, host } = shown.value;
  const trusted = valid.map(({ pem }) => pem);
  const isTrusted =
    chain.length > 0
      ? isSignedBy(chain, trusted)
      : authorities.some((pem) => isSignedBy([pem], trusted));
  if (!isTrusted) return failed('did not sign what tagpin shows: the API server trusts no answer');
  return judgeLeaf({ about, chain, host, valid, nowMs });
}

interface Judged {
  readonly about: string;
  readonly chain: readonly string[];
  readonly host: string | undefined;
  readonly valid: readonly Certificate[];
  readonly nowMs: number;
}

function judgeLeaf({ about, chain, host, valid, nowMs }: Judged): Finding {
  const [pem = ''] = chain;
  const [leaf] = readCertificates(pem);
  const told = (status: Finding['status'], says: string): Finding => ({
    id: ID,
    about,
    status,
    says,
    ...(status !== 'ok' && {
      advice: 'renew the certificate: docs/certificates.md says how for each way',
    }),
  });
  if (leaf !== undefined && isExpired(leaf, nowMs))
    return told('failed', `the certificate that is shown has expired (${datesOf([leaf])})`);
  if (leaf !== undefined && leaf.notBeforeMs > nowMs) {
    return told(
      'failed',
      `the certificate that is shown is not valid yet (${datesOf([leaf])}): a clock is wrong`,
    );
  }
  if (leaf !== undefined && host !== undefined && !isFor(pem, host)) {
    return told(
      'failed',
      `the certificate that is shown is not for ${host}, by which the API server calls`,
    );
  }
  const untilMs = Math.min(
    leaf?.notAfterMs ?? Number.POSITIVE_INFINITY,
    Math.max(...valid.map(({ notAfterMs }) => notAfterMs)),
  );
  const until = day(untilMs);
  if (untilMs - nowMs < SOON_MS) return told('warning', `ends soon: ${until}`);
  return told('ok', `signed what tagpin shows, until ${until}`);
}

function datesOf([first]: readonly Certificate[]): string {
  return first === undefined ? '' : `from ${day(first.notBeforeMs)} to ${day(first.notAfterMs)}`;
}

function day(timeMs: number): string {
  return new Date(timeMs).toISOString();
}

function aboutOf(group: readonly Entry[], { name, object }: Registration): string {
  if (group.length === admissionEntries(object).length) return name;
  const webhooks = listOf(object, 'webhooks').filter(isJsonObject);
  return group.map(({ index }) => textOf(webhooks[index], 'name') ?? String(index)).join(', ');
}

interface Wanting {
  readonly group: readonly Entry[];
  readonly registration: Registration;
  readonly shown: Shown | undefined;
  readonly facts: Facts;
}

/** The patch that writes the right authority, where it is known. */
function rightBundle({ group, registration, shown, facts }: Wanting): Remedy {
  const { deployment, installation } = facts;
  if (featuresOf(valueOf(deployment), installation.namespace).builtIn !== undefined) {
    return {
      advice: 'tagpin writes it itself, within ten seconds: see what keeps it from that in its log',
      command: logCommand(facts),
    };
  }
  const authorities = (shown?.authorities ?? []).filter(
    (pem) => shown !== undefined && isSignedBy(shown.chain, [pem]),
  );
  if (authorities.length === 0) {
    return {
      advice: 'write the authority of the certificate into each entry: docs/certificates.md',
    };
  }
  const value = Buffer.from(authorities.join('')).toString('base64');
  const webhooks = listOf(registration.object, 'webhooks').filter(isJsonObject);
  const patch = group.flatMap(({ index }) => [
    { op: 'test' as const, path: `/webhooks/${index}/name`, value: webhooks[index]?.['name'] },
    { op: 'add' as const, path: `/webhooks/${index}/clientConfig/caBundle`, value },
  ]);
  return {
    advice: 'write the authority into the entries that signed the certificate',
    command: patchCommand(CONFIGURATION_KIND, registration.name, patch),
  };
}
