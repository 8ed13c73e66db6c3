import { commandOf } from '../shell.ts';
import { notLookedAt, type Unread, valueOf } from './fact.ts';
import type { Facts } from './facts.ts';
import { featuresOf } from './features.ts';
import type { CheckId, Finding, Remedy } from './finding.ts';
import { reinstalling, reinstallingAdvice } from './remedy.ts';
import { PULL_SECRET_READER, type Right } from './right.ts';

/** Rights that one check is about, by what the API server says of them. */
interface Judged {
  readonly rights: readonly Right[];
  readonly lacking: readonly Right[];
  readonly unread: Unread | undefined;
}

function judgedOf(check: CheckId, { rights }: Facts): Judged {
  const own = [...rights].filter(([right]) => right.check === check);
  const unread = own.map(([, fact]) => fact).find((fact) => fact.state === 'unread');
  return {
    rights: own.map(([right]) => right),
    lacking: own.flatMap(([right, fact]) => (valueOf(fact) === false ? [right] : [])),
    unread,
  };
}

export function judgePullSecretRights(facts: Facts): readonly Finding[] {
  const id = 'rights-pull-secrets';
  const { rights, lacking, unread } = judgedOf(id, facts);
  if (unread !== undefined) return [notLookedAt(id, unread)];
  if (rights.length === 0) return [nothingToAsk(id, facts)];
  const places = new Set(rights.map(({ namespace = '' }) => namespace));
  const closed = [...new Set(lacking.map(({ namespace = '' }) => namespace))];
  if (closed.length === 0) {
    return [{ id, status: 'ok', says: `may get them in ${places.size} opted-in namespaces` }];
  }
  const says =
    'tagpin may not get Secrets and ServiceAccounts: images of private registries are not pinned';
  const account = accountOf(facts);
  const role = PULL_SECRET_READER;
  const advice = bindingAdvice(facts);
  // Where it may nowhere, the binding for the whole cluster has gone, or was never there.
  if (closed.length === places.size && places.size > 1) {
    const words = ['clusterrolebinding', role, `--clusterrole=${role}`, account];
    return [{ id, status: 'failed', says, advice, command: creating(words) }];
  }
  return closed.map((namespace) => {
    const words = [
      'rolebinding',
      role,
      `--namespace=${namespace}`,
      `--clusterrole=${role}`,
      account,
    ];
    return { id, about: namespace, status: 'failed', says, advice, command: creating(words) };
  });
}

function bindingAdvice(facts: Facts): string {
  return `bind the ClusterRole of the manifests; where that is missing, too, ${reinstallingAdvice(facts)}`;
}

function creating(words: readonly string[]): string {
  return commandOf('kubectl', 'create', ...words);
}

function accountOf({ deployment, installation }: Facts): string {
  const { serviceAccount } = featuresOf(valueOf(deployment), installation.namespace);
  return `--serviceaccount=${installation.namespace}:${serviceAccount}`;
}

/** What each check says where all is well, and what follows where it is not. */
const WORDS: Readonly<Partial<Record<CheckId, readonly [ok: string, consequence: string]>>> = {
  'rights-siblings': ['may list Pods', 'new Pods do not get the digest of their siblings'],
  'rights-events': ['may create Events', 'no Event tells of images that are not pinned'],
  'rights-audit': ['may list workloads', '--audit-every finds nothing'],
  'rights-explanations': ['may ask who may have explanations', 'nobody gets any'],
  'rights-certificates': ['may keep its certificates', 'certificates are not renewed'],
};

/** The check of a feature's rights. */
export function judgeRightsOf(id: CheckId): (facts: Facts) => readonly Finding[] {
  const [ok = '', consequence = ''] = WORDS[id] ?? [];
  return (facts) => {
    const { rights, lacking, unread } = judgedOf(id, facts);
    if (unread !== undefined) return [notLookedAt(id, unread)];
    if (rights.length === 0) return [nothingToAsk(id, facts)];
    if (lacking.length === 0) return [{ id, status: 'ok', says: ok }];
    const says = `tagpin may not ${lacking.map(textOf).join(', ')}: ${consequence}`;
    return [{ id, status: 'failed', says, ...bringingBack(lacking, facts) }];
  };
}

/** A role for the whole cluster may be bound again; what else is missing comes from the manifests. */
function bringingBack(lacking: readonly Right[], facts: Facts): Remedy {
  const roles = new Set(lacking.map(({ role = '' }) => role));
  const [role = ''] = roles;
  const isSimple = roles.size === 1 && lacking.every(({ namespace }) => namespace === undefined);
  if (!isSimple) return reinstalling(facts);
  const words = ['clusterrolebinding', role, `--clusterrole=${role}`, accountOf(facts)];
  return {
    advice: bindingAdvice(facts),
    command: creating(words),
  };
}

function nothingToAsk(id: CheckId, { deployment, installation, namespaces }: Facts): Finding {
  const { seen } = featuresOf(valueOf(deployment), installation.namespace);
  if (!seen) {
    const says =
      'not looked at: the settings of tagpin are not known, for its Deployment was not seen';
    return { id, status: 'warning', says };
  }
  if (id === 'rights-pull-secrets' && namespaces.state === 'unread')
    return notLookedAt(id, namespaces);
  if (id === 'rights-pull-secrets')
    return {
      id,
      status: 'ok',
      says: 'nobody needs them: no namespace is opted in, or --no-cluster is set',
    };
  return { id, status: 'ok', says: 'not needed: the feature is off' };
}

export function judgeExcess(facts: Facts): readonly Finding[] {
  const id = 'rights-excess';
  const { rights, lacking, unread } = judgedOf(id, facts);
  if (unread !== undefined) return [notLookedAt(id, unread)];
  const excess = rights.filter((right) => !lacking.includes(right));
  if (excess.length === 0)
    return [{ id, status: 'ok', says: 'has none of the rights that it never uses' }];
  const says = `tagpin may ${excess.map(textOf).join(', ')}, which it never does: its token is worth more to a thief`;
  const { namespace } = facts.installation;
  const { serviceAccount } = featuresOf(valueOf(facts.deployment), namespace);
  const words = ['clusterrolebindings,rolebindings', '--all-namespaces', '--output=wide'];
  const bound = `${namespace}/${serviceAccount}`;
  return [
    {
      id,
      status: 'warning',
      says,
      advice: 'find the binding that gives it, and take the ServiceAccount out',
      command: `${commandOf('kubectl', 'get', ...words)} | ${commandOf('grep', '--fixed-strings', bound)}`,
    },
  ];
}

function textOf({ verb, group, resource, namespace, name }: Right): string {
  const what = group === '' ? resource : `${resource}.${group}`;
  const one = name === undefined ? '' : ` "${name}"`;
  return `${verb} ${what}${one}${namespace === undefined ? '' : ` in "${namespace}"`}`;
}
