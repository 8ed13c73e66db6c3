import { eventually } from './eventually.ts';
import type { Kubectl } from './kubectl.ts';
import type { StoredObject } from './workload.ts';

type AtLeastOne = readonly [StoredObject, ...StoredObject[]];

/** Waits until a controller has made this many Pods for the owner, and gives them. */
export async function waitForPods(
  kubectl: Kubectl,
  owner: StoredObject,
  count: number = 1,
): Promise<AtLeastOne> {
  return eventually(async () => {
    const [first, ...others] = await listOwned(kubectl, 'pods', owner);
    const found = first === undefined ? 0 : 1 + others.length;
    if (first === undefined || found !== count) {
      throw new Error(`${owner.metadata.name} has ${found} Pods instead of ${count}`);
    }
    return [first, ...others];
  });
}

/** Waits until a Deployment has its ReplicaSet, and gives it. */
export async function waitForReplicaSet(
  kubectl: Kubectl,
  deployment: StoredObject,
): Promise<StoredObject> {
  return eventually(async () => {
    const [first] = await listReplicaSets(kubectl, deployment);
    if (first === undefined) throw new Error(`${deployment.metadata.name} has no ReplicaSet`);
    return first;
  });
}

/**
 * Every ReplicaSet of a Deployment, once its controller has looked at it again. A controller that
 * takes none of them for its own has made another by then.
 */
export async function settledReplicaSets(
  kubectl: Kubectl,
  deployment: StoredObject,
): Promise<readonly StoredObject[]> {
  const { name } = deployment.metadata;
  const value = `example.com/look=${performance.now()}`;
  // A Deployment's own annotations count for its generation; a template's do more than that.
  await kubectl.run(['annotate', 'deployment', name, '--overwrite', value]);
  await eventually(async () => {
    const { metadata, status } = await kubectl.get<ObservedObject>('deployment', name);
    if (status.observedGeneration !== metadata.generation) {
      throw new Error(`The controller has not seen generation ${metadata.generation} of ${name}`);
    }
  });
  return listReplicaSets(kubectl, deployment);
}

interface ObservedObject extends StoredObject {
  readonly status: { readonly observedGeneration?: number };
}

function listReplicaSets(
  kubectl: Kubectl,
  deployment: StoredObject,
): Promise<readonly StoredObject[]> {
  return listOwned(kubectl, 'replicasets', deployment);
}

async function listOwned(
  kubectl: Kubectl,
  resource: string,
  owner: StoredObject,
): Promise<readonly StoredObject[]> {
  const { items } = await kubectl.get<{ items: readonly StoredObject[] }>(resource);
  return items.filter(({ metadata }) =>
    metadata.ownerReferences?.some(({ uid }) => uid === owner.metadata.uid),
  );
}
