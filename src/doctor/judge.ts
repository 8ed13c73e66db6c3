import type { Facts } from './facts.ts';
import { CHECKS, type CheckId, type Finding } from './finding.ts';
import { judgeApiServer, judgeClock, judgePolicyKinds, judgeReplicaClocks } from './judge-api.ts';
import { judgeAuthority } from './judge-authority.ts';
import { judgeEntries } from './judge-entries.ts';
import { judgeNamespaces, judgeOwnNamespace } from './judge-namespaces.ts';
import { judgeEnforcePolicy, judgeLabelPolicy } from './judge-policy.ts';
import { judgeConfiguration } from './judge-registration.ts';
import { judgeRegistries } from './judge-registries.ts';
import { judgeBudget, judgeReplicas } from './judge-replicas.ts';
import { judgeExcess, judgePullSecretRights, judgeRightsOf } from './judge-rights.ts';
import { judgeSettings } from './judge-settings.ts';
import { judgeTarget } from './judge-target.ts';
import { judgeCalled, judgeFailOpen, judgePinned } from './judge-trials.ts';

/** Judges one thing; `before` are the findings of what is judged before it. */
type Judge = (facts: Facts, before: readonly Finding[]) => readonly Finding[];

/** What depends on what others find comes behind them. */
const JUDGES: Readonly<Record<CheckId, Judge>> = {
  'api-server': judgeApiServer,
  'policies-available': judgePolicyKinds,
  clock: judgeClock,
  'webhook-configuration': judgeConfiguration,
  'webhook-entries': judgeEntries,
  'webhook-target': judgeTarget,
  'ca-bundle': judgeAuthority,
  'enforce-policy': judgeEnforcePolicy,
  'label-policy': judgeLabelPolicy,
  namespaces: judgeNamespaces,
  'own-namespace': judgeOwnNamespace,
  replicas: judgeReplicas,
  settings: judgeSettings,
  'disruption-budget': judgeBudget,
  'replica-clock': judgeReplicaClocks,
  'rights-pull-secrets': judgePullSecretRights,
  'rights-siblings': judgeRightsOf('rights-siblings'),
  'rights-certificates': judgeRightsOf('rights-certificates'),
  'rights-events': judgeRightsOf('rights-events'),
  'rights-audit': judgeRightsOf('rights-audit'),
  'rights-explanations': judgeRightsOf('rights-explanations'),
  'rights-excess': judgeExcess,
  registry: judgeRegistries,
  called: judgeCalled,
  pinned: judgePinned,
  'fail-open': judgeFailOpen,
};

const ORDER: readonly string[] = Object.keys(CHECKS);

/** All findings, in the order of `CHECKS`. */
export function judge(facts: Facts): readonly Finding[] {
  const findings: Finding[] = [];
  for (const check of Object.values(JUDGES)) findings.push(...check(facts, findings));
  return findings.toSorted((one, other) => ORDER.indexOf(one.id) - ORDER.indexOf(other.id));
}
