import { isJsonObject, listOf, objectAt, textOf } from '../json.ts';
import { type Fact, notLookedAt } from './fact.ts';
import type { Facts, PolicyFacts } from './facts.ts';
import type { CheckId, Finding } from './finding.ts';
import { reinstalling } from './remedy.ts';

/** What `enforce` promises rests on it. */
export function judgeEnforcePolicy(facts: Facts): readonly Finding[] {
  const id = 'enforce-policy';
  const name = 'tagpin-enforce';
  const told = judgeBound(id, name, facts);
  if (told !== undefined) return [told];
  const { skipList, installation } = facts;
  if (skipList.state === 'unread') return [notLookedAt(id, skipList, name)];
  if (skipList.state === 'absent') {
    const says = `its list is missing, the ConfigMap ${installation.namespace}/tagpin-skip-list: every Pod of "enforce" is refused`;
    return [{ id, about: name, status: 'failed', says, ...reinstalling(facts) }];
  }
  return [{ id, about: name, status: 'ok', says: 'is bound, and denies; its list is there' }];
}

export function judgeLabelPolicy(facts: Facts): readonly Finding[] {
  const [id, name] = ['label-policy', 'tagpin-namespace-labels'] as const;
  const told = judgeBound(id, name, facts);
  // It helps against mistakes, and nothing rests on it.
  if (told !== undefined) return [{ ...told, status: 'warning' }];
  return [{ id, about: name, status: 'ok', says: 'is bound, and denies' }];
}

/** Undefined where nothing is wrong. */
function judgeBound(id: CheckId, name: string, facts: Facts): Finding | undefined {
  const ABSENT: PolicyFacts = { policy: { state: 'absent' }, binding: { state: 'absent' } };
  const { policy, binding } = facts.policies.get(name) ?? ABSENT;
  const failed = (says: string): Finding => ({
    id,
    about: name,
    status: 'failed',
    says,
    ...reinstalling(facts),
  });
  if (policy.state === 'unread') return notLookedAt(id, policy, name);
  if (policy.state === 'absent') return failed('there is no such policy');
  if (binding.state === 'unread') return notLookedAt(id, binding, name);
  if (binding.state === 'absent') return failed('the policy has no binding: it is not in force');
  const spec = objectAt(binding.value, ['spec']) ?? {};
  if (textOf(spec, 'policyName') !== name) return failed('the binding is of another policy');
  if (!listOf(spec, 'validationActions').includes('Deny')) {
    return failed('the binding does not deny');
  }
  const [warning] = warningsOf(policy);
  if (warning === undefined) return undefined;
  const says = `the API server cannot make sense of it: ${warning}`;
  const advice = 'report it, with the version of Kubernetes';
  return { id, about: name, status: 'failed', says, advice };
}

/** What the API server says of expressions whose types do not fit. */
function warningsOf(policy: Fact<unknown>): readonly string[] {
  const value = policy.state === 'read' ? policy.value : undefined;
  const checking = objectAt(value, ['status', 'typeChecking']) ?? {};
  return listOf(checking, 'expressionWarnings')
    .filter(isJsonObject)
    .map((one) => textOf(one, 'warning')?.split('\n', 1)[0] ?? 'no text');
}
