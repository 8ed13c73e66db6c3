import { isJsonObject, listOf, textOf } from '../json.ts';
import { commandOf } from '../shell.ts';
import { notLookedAt } from './fact.ts';
import type { Facts } from './facts.ts';
import type { Finding } from './finding.ts';

/** ValidatingAdmissionPolicy is `v1` from here on (docs/support.md). */
const OLDEST_MINOR = 30;
/** Certificates are dated back by five minutes; what differs by more is not valid yet. */
const FAR_MS = 300_000;
/** An answer's `Date` has whole seconds, and takes its time. */
const NEAR_MS = 30_000;

export function judgeApiServer({ version }: Facts): readonly Finding[] {
  const id = 'api-server';
  if (version.state !== 'read') {
    const why = version.state === 'absent' ? 'the API server has no /version' : version.why;
    return [{ id, status: 'warning', says: `not looked at: ${why}` }];
  }
  const said = textOf(version.value, 'gitVersion') ?? '?';
  const [, major = '', minor = ''] = /^v(\d+)\.(\d+)/.exec(said) ?? [];
  if (major === '1' && Number(minor) < OLDEST_MINOR) {
    const advice = `upgrade the cluster to Kubernetes 1.${OLDEST_MINOR} or later`;
    return [{ id, status: 'failed', says: `Kubernetes ${said} is too old`, advice }];
  }
  return [{ id, status: 'ok', says: `Kubernetes ${said} answers` }];
}

export function judgePolicyKinds({ registrationKinds }: Facts): readonly Finding[] {
  const id = 'policies-available';
  if (registrationKinds.state === 'unread') return [notLookedAt(id, registrationKinds)];
  const kinds =
    registrationKinds.state === 'read' ? listOf(registrationKinds.value, 'resources') : [];
  const isThere = kinds
    .filter(isJsonObject)
    .some(({ name }) => name === 'validatingadmissionpolicies');
  if (isThere) return [{ id, status: 'ok', says: 'ValidatingAdmissionPolicy v1 is there' }];
  return [
    {
      id,
      status: 'failed',
      says: 'the API server has no ValidatingAdmissionPolicy v1: "enforce" enforces nothing',
      advice: `upgrade the cluster to Kubernetes 1.${OLDEST_MINOR} or later, or do not switch the API off`,
    },
  ];
}

export function judgeClock({ localMs, serverMs }: Facts): readonly Finding[] {
  const id = 'clock';
  if (serverMs === undefined) {
    return [{ id, status: 'warning', says: 'not looked at: the API server tells no time' }];
  }
  const aheadMs = localMs - serverMs;
  const { status, by } = skewOf(aheadMs);
  if (status === 'ok') return [{ id, status, says: 'this clock and that of the API server agree' }];
  const side = aheadMs > 0 ? 'ahead of' : 'behind';
  return [
    {
      id,
      // Of all clocks this is the one that tagpin does not go by.
      status: 'warning',
      says: `this clock is ${by} ${side} that of the API server: one of them is wrong`,
      advice: 'set the clock of this machine, or those of the control plane, by NTP',
    },
  ];
}

export function judgeReplicaClocks(facts: Facts): readonly Finding[] {
  const id = 'replica-clock';
  const { replicas, serverMs, localMs } = facts;
  if (replicas.length === 0) {
    return [{ id, status: 'warning', says: 'not looked at: no replica is ready' }];
  }
  return replicas.map(({ pod, aheadMs, right }): Finding => {
    if (right !== undefined) {
      return notLookedAt(id, { state: 'unread', why: `you may not ${right}`, right }, pod);
    }
    if (aheadMs === undefined || serverMs === undefined) {
      return notReached(pod, facts.installation.namespace);
    }
    const beforeServerMs = aheadMs + localMs - serverMs;
    const { status, by } = skewOf(beforeServerMs);
    if (status === 'ok') return { id, about: pod, status, says: 'its clock is right' };
    const side = beforeServerMs > 0 ? 'ahead of' : 'behind';
    const says = `its clock is ${by} ${side} that of the API server`;
    return { id, about: pod, status, says, advice: 'set the clock of its node by NTP' };
  });
}

/** A NetworkPolicy that lets nobody but Prometheus in is a good reason. */
function notReached(pod: string, namespace: string): Finding {
  return {
    id: 'replica-clock',
    about: pod,
    status: 'warning',
    says: 'not looked at: the API server does not reach its operations port, or may not',
    advice:
      'compare the Date of an answer of localhost:9090/healthz with `date`, behind this command',
    command: commandOf('kubectl', 'port-forward', '--namespace', namespace, `pod/${pod}`, '9090'),
  };
}

function skewOf(aheadMs: number): Pick<Finding, 'status'> & { readonly by: string } {
  const farMs = Math.abs(aheadMs);
  const by = `${Math.round(farMs / 1000)} s`;
  if (farMs < NEAR_MS) return { status: 'ok', by };
  return { status: farMs < FAR_MS ? 'warning' : 'failed', by };
}
