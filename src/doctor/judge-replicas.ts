import { isJsonObject, type JsonObject, listOf, objectAt, sameJson, textOf } from '../json.ts';
import { commandOf } from '../shell.ts';
import { nameOf } from '../workload/object-name.ts';
import { notLookedAt, valueOf } from './fact.ts';
import type { Facts } from './facts.ts';
import type { Finding } from './finding.ts';
import { reinstalling } from './remedy.ts';
import { isReady } from './replicas-asked.ts';

const FEWEST = 2;

export function judgeReplicas(facts: Facts): readonly Finding[] {
  const id = 'replicas';
  const { deployment, installation } = facts;
  const about = `${installation.namespace}/tagpin`;
  const where = ['--namespace', installation.namespace];
  if (deployment.state === 'unread') return [notLookedAt(id, deployment, about)];
  if (deployment.state === 'absent') {
    return [
      { id, about, status: 'failed', says: 'there is no such Deployment', ...reinstalling(facts) },
    ];
  }
  const wanted = numberAt(deployment.value, 'spec', 'replicas') ?? 1;
  const ready = numberAt(deployment.value, 'status', 'readyReplicas') ?? 0;
  if (ready === 0 || ready < Math.min(wanted, FEWEST)) {
    return [
      {
        id,
        about,
        status: ready === 0 ? 'failed' : 'warning',
        says: `${ready} of ${wanted} replicas are ready`,
        advice: 'see what the others wait for: events, and the log',
        command: commandOf(
          'kubectl',
          'describe',
          'pods',
          ...where,
          '--selector',
          'app.kubernetes.io/name=tagpin',
        ),
      },
    ];
  }
  if (wanted < FEWEST) {
    return [
      {
        id,
        about,
        status: 'warning',
        says: 'has one replica: its end is an outage',
        advice: 'run two, or more',
        command: commandOf(
          'kubectl',
          'scale',
          'deployment',
          'tagpin',
          ...where,
          `--replicas=${FEWEST}`,
        ),
      },
    ];
  }
  return [judgeImages(about, ready, facts)];
}

function judgeImages(about: string, ready: number, { pods, installation }: Facts): Finding {
  const id = 'replicas';
  if (pods.state === 'unread') return notLookedAt(id, pods, about);
  const running = (valueOf(pods) ?? []).filter(isReady);
  const where = ['--namespace', installation.namespace];
  const images = new Set(running.map(imageOf));
  if (images.size > 1) {
    return {
      id,
      about,
      status: 'warning',
      says: `ready replicas are of different images: ${[...images].join(', ')}`,
      advice: 'see that the rollout ends',
      command: commandOf('kubectl', 'rollout', 'status', 'deployment/tagpin', ...where),
    };
  }
  return { id, about, status: 'ok', says: `${ready} are ready, of one image` };
}

function imageOf(pod: JsonObject): string {
  const [container] = listOf(objectAt(pod, ['spec']) ?? {}, 'containers').filter(isJsonObject);
  return textOf(container, 'image') ?? '';
}

function numberAt(object: JsonObject, part: string, field: string): number | undefined {
  const value = objectAt(object, [part])?.[field];
  return typeof value === 'number' ? value : undefined;
}

export function judgeBudget({ budgets, deployment, installation }: Facts): readonly Finding[] {
  const id = 'disruption-budget';
  const { namespace } = installation;
  if (budgets.state === 'unread') return [notLookedAt(id, budgets)];
  const labels = objectAt(valueOf(deployment), ['spec', 'selector', 'matchLabels']) ?? {
    'app.kubernetes.io/name': 'tagpin',
  };
  const isOurs = (budget: JsonObject): boolean =>
    sameJson(objectAt(budget, ['spec', 'selector', 'matchLabels']), labels);
  const found = (valueOf(budgets) ?? []).find(isOurs);
  if (found !== undefined) {
    const about = nameOf(found);
    return [{ id, about, status: 'ok', says: 'is for the Pods of tagpin' }];
  }
  const selector = Object.entries(labels).map(([name, value]) => `${name}=${String(value)}`);
  const command = commandOf(
    'kubectl',
    'create',
    'poddisruptionbudget',
    'tagpin',
    `--namespace=${namespace}`,
    `--selector=${selector.join(',')}`,
    '--max-unavailable=1',
  );
  const says = 'there is none for the Pods of tagpin: draining nodes may take all of them at once';
  return [{ id, status: 'warning', says, advice: 'make one', command }];
}
