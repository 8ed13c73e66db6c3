import { actionIn, isPinErrorCode } from '../error-codes.ts';
import { commandOf } from '../shell.ts';
import { followsFrom, notLookedAt } from './fact.ts';
import type { Facts } from './facts.ts';
import type { CheckId, Finding } from './finding.ts';
import { logCommand, reinstallingAdvice } from './remedy.ts';
import type { Trial, TriedSample } from './trial.ts';

/** Where one of these failed, nobody can be called. */
const CAUSES: readonly CheckId[] = [
  'webhook-configuration',
  'webhook-entries',
  'webhook-target',
  'ca-bundle',
];

export function judgeCalled(facts: Facts, before: readonly Finding[]): readonly Finding[] {
  const id = 'called';
  if (facts.trials.length === 0) return [nothingTried(id, facts)];
  return facts.trials.map(({ namespace, mode, seen }): Finding => {
    const about = `${namespace} (${mode})`;
    if (seen.by === 'tagpin')
      return { id, about, status: 'ok', says: 'a Pod that is tried is seen by tagpin' };
    if (seen.by === 'unknown') return notLookedAt(id, { state: 'unread', ...seen }, about);
    const cause = CAUSES.find((one) => failed(before, one));
    return cause === undefined ? notCalled(about, facts) : followsFrom(id, cause, about);
  });
}

function notCalled(about: string, facts: Facts): Finding {
  const { failedOpen } = facts;
  const told = { id: 'called', about, status: 'failed' } as const;
  if (failedOpen.state === 'read' && failedOpen.value.meanwhile > 0) {
    return {
      ...told,
      says: 'the API server calls tagpin, and the call fails: a Pod that is tried is stored with its tag',
      advice:
        'see the log of the API server ("failed calling webhook"), and whether its machines reach the port of the Pods: firewalls of nodes, NetworkPolicy, --client-ca',
      command: logCommand(facts, '--tail=50'),
    };
  }
  return {
    ...told,
    says: 'a Pod that is tried comes back with its tag: tagpin was not called, or failed',
    advice: `see that the entries select the namespace and what fails: apiserver_admission_webhook_fail_open_count in the API server's metrics; where entries were changed, ${reinstallingAdvice(facts)}`,
    command: 'kubectl get --raw /metrics | grep apiserver_admission_webhook_fail_open_count',
  };
}

function nothingTried(id: CheckId, { namespaces }: Facts): Finding {
  if (namespaces.state === 'unread') return notLookedAt(id, namespaces);
  return { id, status: 'warning', says: 'not looked at, because no namespace is opted in' };
}

/** Whether what runs is pinned: a registry that failed, or nobody that was called, is told of elsewhere. */
export function judgePinned(facts: Facts, before: readonly Finding[]): readonly Finding[] {
  const id = 'pinned';
  if (facts.trials.length === 0) return [nothingTried(id, facts)];
  return facts.trials.map((trial): Finding => {
    const { namespace, mode, seen, sample } = trial;
    const about = `${namespace} (${mode})`;
    if (seen.by === 'nobody') {
      return { id, about, status: 'warning', says: 'not looked at, because tagpin was not called' };
    }
    if (seen.by === 'unknown') return notLookedAt(id, { state: 'unread', ...seen }, about);
    if (sample === undefined) {
      const says = 'not looked at: no Pod that may be seen runs there with an image that has a tag';
      return { id, about, status: 'warning', says, advice: 'run this again when there is one' };
    }
    if (sample.pinned === true)
      return { id, about, status: 'ok', says: `${sample.image} gets its digest` };
    return notPinned(trial, sample, before);
  });
}

function notPinned(
  { namespace, mode, seen }: Trial,
  sample: TriedSample,
  before: readonly Finding[],
): Finding {
  const id = 'pinned';
  const about = `${namespace} (${mode})`;
  if (sample.pinned === 'unknown') {
    const says = 'not looked at: something else refuses the Pod that is tried';
    return { id, about, status: 'warning', says };
  }
  if (failed(before, 'registry', sample.registry)) return followsFrom(id, 'registry', about);
  const { reason, image } = sample;
  const code = reason === undefined ? '' : ` [${reason}]`;
  const says = `${seen.by} is called, and ${image} keeps its tag${code}`;
  if (reason !== undefined && isPinErrorCode(reason)) {
    const [advice, command] = actionIn(commandOf(namespace), reason).split(/: (?=kubectl )/);
    return { id, about, status: 'failed', says, advice, command };
  }
  const advice = `${commandOf('tagpin', 'explain', image, '--namespace', namespace)} tells each step`;
  return { id, about, status: 'failed', says, advice };
}

function failed(findings: readonly Finding[], id: CheckId, about?: string): boolean {
  return findings.some(
    (one) =>
      one.id === id && one.status === 'failed' && (about === undefined || one.about === about),
  );
}

export function judgeFailOpen(
  { failedOpen }: Facts,
  before: readonly Finding[],
): readonly Finding[] {
  const id = 'fail-open';
  if (failedOpen.state === 'unread') return [notLookedAt(id, failedOpen)];
  if (failedOpen.state === 'absent') {
    return [{ id, status: 'warning', says: 'not looked at: the API server shows no metrics' }];
  }
  const { inAll, meanwhile } = failedOpen.value;
  if (meanwhile === 0) {
    const since = inAll === 0 ? '' : `; ${inAll} since this API server runs`;
    return [{ id, status: 'ok', says: `no call failed meanwhile${since}` }];
  }
  const cause = [...CAUSES, 'called' as const].find((one) => failed(before, one));
  if (cause !== undefined) {
    const says = `${meanwhile} calls failed meanwhile, which follows from ${cause}`;
    return [{ id, status: 'warning', says, advice: `mend ${cause} first, and run this again` }];
  }
  const says = `${meanwhile} calls failed meanwhile, and what they were for was stored without tagpin`;
  const advice = 'see the log of the API server, "failed calling webhook": it names the cause';
  return [{ id, status: 'failed', says, advice }];
}
