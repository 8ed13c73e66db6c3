import { followsFrom, notLookedAt } from './fact.ts';
import type { Facts } from './facts.ts';
import type { Finding } from './finding.ts';
import { servedSettings } from './served-settings.ts';

/** What the Deployment tells `tagpin serve`, which does not start with what it cannot read. */
export function judgeSettings({ deployment, installation }: Facts): readonly Finding[] {
  const id = 'settings';
  const about = `${installation.namespace}/tagpin`;
  if (deployment.state === 'unread') return [notLookedAt(id, deployment, about)];
  if (deployment.state === 'absent') return [followsFrom(id, 'replicas', about)];
  const { problem } = servedSettings(deployment.value);
  if (problem === undefined) return [{ id, about, status: 'ok', says: 'can be read' }];
  return [
    {
      id,
      about,
      status: 'failed',
      says: problem,
      advice: 'correct them where the Deployment comes from: no replica starts with them',
    },
  ];
}
