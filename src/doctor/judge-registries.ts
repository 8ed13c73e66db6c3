import { notLookedAt } from './fact.ts';
import type { AskedRegistry, Facts } from './facts.ts';
import type { Finding } from './finding.ts';

/** Of each registry one line. */
export function judgeRegistries(facts: Facts): readonly Finding[] {
  const id = 'registry';
  const unread = facts.searched.flatMap(({ namespace, pods }) =>
    pods.state === 'unread' ? [notLookedAt(id, pods, `of namespace ${namespace}`)] : [],
  );
  if (facts.registries.length === 0 && unread.length === 0) {
    const says = 'not looked at: no Pod runs in an opted-in namespace with an image that has a tag';
    return [{ id, status: 'warning', says }];
  }
  return [...facts.registries.map(judgeRegistry), ...unread];
}

function judgeRegistry({ registry, places }: AskedRegistry): Finding {
  const told = { id: 'registry', about: registry } as const;
  const [broken] = places.filter(({ problem }) => problem !== undefined);
  const problem = broken?.problem;
  if (broken === undefined || problem === undefined) {
    const from = places.length > 1 ? `, and so do its ${places.length - 1} mirrors` : '';
    return { ...told, status: 'ok', says: `answers${from}, as seen from where this runs` };
  }
  const answers = places.some((place) => place.problem === undefined);
  const says = `${problem.message} [${problem.reason}], as seen from where this runs`;
  // Another place has what this one does not tell.
  return { ...told, status: answers ? 'warning' : 'failed', says, advice: problem.advice };
}
