import { isMode, MODES } from '../admission/policy.ts';
import { type JsonObject, objectAt, textOf } from '../json.ts';
import { commandOf } from '../shell.ts';
import { LABEL_PREFIX, MODE_LABEL } from '../workload/annotations.ts';
import { nameOf } from '../workload/object-name.ts';
import { notLookedAt, valueOf } from './fact.ts';
import type { Facts } from './facts.ts';
import type { Finding } from './finding.ts';
import { neverCalled } from './shipped-entries.ts';

/** The labels of a namespace that tagpin goes by, and their values, as the policy has them. */
export const KNOWN_LABELS: ReadonlyMap<string, readonly string[]> = new Map<
  string,
  readonly string[]
>([
  [MODE_LABEL, MODES],
  [`${LABEL_PREFIX}level`, ['pods']],
  [`${LABEL_PREFIX}validate`, ['digests']],
]);

export function judgeNamespaces({ namespaces, installation, chosen }: Facts): readonly Finding[] {
  const id = 'namespaces';
  if (namespaces.state === 'unread') return [notLookedAt(id, namespaces)];
  const there = valueOf(namespaces) ?? [];
  const all = chosen.length === 0 ? there : there.filter((one) => chosen.includes(nameOf(one)));
  const never = neverCalled(installation.namespace);
  const wrong = all.flatMap((namespace) => misspelt(namespace));
  const vain = all.filter((one) => never.includes(nameOf(one)) && modeOf(one) !== undefined);
  const inVain = vain.map((namespace): Finding => {
    const about = nameOf(namespace);
    return {
      id,
      about,
      status: 'warning',
      says: `has the label ${MODE_LABEL}, and is never called for`,
      advice: 'take the label away',
      command: commandOf('kubectl', 'label', 'namespace', about, `${MODE_LABEL}-`),
    };
  });
  const count = all.filter(
    (one) => isMode(modeOf(one) ?? '') && !never.includes(nameOf(one)),
  ).length;
  const out = chosen.flatMap((name) => notOptedIn(name, all));
  const told = [...wrong, ...inVain, ...out];
  if (count === 0 && out.length === 0) return [...told, NOBODY];
  return out.length > 0 ? told : [...told, { id, status: 'ok', says: `${count} opted in` }];
}

/** Of a namespace that somebody named. */
function notOptedIn(name: string, all: readonly JsonObject[]): readonly Finding[] {
  const namespace = all.find((one) => nameOf(one) === name);
  const told = { id: 'namespaces', about: name, status: 'failed' } as const;
  if (namespace === undefined) {
    return [{ ...told, says: 'there is no such namespace', advice: 'correct the name' }];
  }
  // What is misspelt is told of already.
  if (modeOf(namespace) !== undefined) return [];
  return [
    {
      ...told,
      says: 'is not opted in: nothing is pinned there',
      advice: `label it; ${commandOf('tagpin', 'onboard', name, '--dry-run')} tells before what that changes`,
      command: commandOf('kubectl', 'label', 'namespace', name, `${MODE_LABEL}=pin`),
    },
  ];
}

const NOBODY: Finding = {
  id: 'namespaces',
  status: 'failed',
  says: 'none is opted in: nothing is pinned anywhere',
  advice: `label one with ${MODE_LABEL}=pin; tagpin onboard NAMESPACE --dry-run tells before what that changes`,
};

function misspelt(namespace: JsonObject): readonly Finding[] {
  const about = nameOf(namespace);
  const labels = objectAt(namespace, ['metadata', 'labels']) ?? {};
  return Object.entries(labels).flatMap(([label, value]): Finding[] => {
    if (!label.startsWith(LABEL_PREFIX)) return [];
    const known = KNOWN_LABELS.get(label);
    if (known?.includes(String(value)) === true) return [];
    const told = { id: 'namespaces', about, status: 'failed' } as const;
    const words = ['kubectl', 'label', 'namespace', about] as const;
    if (known === undefined) {
      const says = `has the label ${label}, of which tagpin knows nothing`;
      const advice = `write one of ${[...KNOWN_LABELS.keys()].join(', ')}, or take it away`;
      return [{ ...told, says, advice, command: commandOf(...words, `${label}-`) }];
    }
    const says = `has the label ${label}=${String(value)}, of which tagpin knows nothing`;
    const meant = nearest(String(value), known);
    const advice = `write ${known.join(', ')}`;
    return [
      { ...told, says, advice, command: commandOf(...words, '--overwrite', `${label}=${meant}`) },
    ];
  });
}

/** The value that begins in the same way, as far as any does. */
function nearest(value: string, known: readonly string[]): string {
  const same = (one: string): number => {
    let at = 0;
    while (at < one.length && one[at] === value[at]?.toLowerCase()) at += 1;
    return at;
  };
  return known.toSorted((one, other) => same(other) - same(one))[0] ?? '';
}

const POD_SECURITY = 'pod-security.kubernetes.io/enforce';

export function judgeOwnNamespace({ ownNamespace, installation }: Facts): readonly Finding[] {
  const id = 'own-namespace';
  const about = installation.namespace;
  if (ownNamespace.state === 'unread') return [notLookedAt(id, ownNamespace, about)];
  if (ownNamespace.state === 'absent') {
    const says = 'there is no such namespace';
    const advice = 'name the namespace in which tagpin is installed: --installed-in NAMESPACE';
    return [{ id, about, status: 'failed', says, advice }];
  }
  const labels = objectAt(ownNamespace.value, ['metadata', 'labels']);
  if (textOf(labels, POD_SECURITY) === 'restricted') {
    return [{ id, about, status: 'ok', says: 'enforces the restricted Pod Security Standard' }];
  }
  return [
    {
      id,
      about,
      status: 'warning',
      says: 'does not enforce the restricted Pod Security Standard, which tagpin satisfies',
      advice: 'let it',
      command: commandOf(
        'kubectl',
        'label',
        'namespace',
        about,
        '--overwrite',
        `${POD_SECURITY}=restricted`,
      ),
    },
  ];
}

function modeOf(namespace: JsonObject): string | undefined {
  return textOf(objectAt(namespace, ['metadata', 'labels']), MODE_LABEL);
}
