import { setTimeout as delay } from 'node:timers/promises';

import { SECRET } from '../support/built-in.ts';
import { eventually } from '../support/eventually.ts';
import { Kubectl } from '../support/kubectl.ts';
import type { Proxy } from '../support/toxiproxy.ts';
import { writeAccounts } from './accounts.ts';
import type { MadeFault, RegistryName } from './fault-kind.ts';
import type { Mood } from './moody-registry.ts';
import { MODES, namespaceOf, PULL_SECRET, type World } from './world.ts';

/** How a fault strikes. */
interface Strike {
  /** Drawn from the duration of its kind. */
  readonly ms: number;
  readonly registry: RegistryName | undefined;
  /** Of what there are several: which one. */
  readonly nth: number;
}

/** Makes a fault and mends it again; resolves when it is over. */
type Injection = (world: World, strike: Strike) => Promise<void>;

type Toxic = Parameters<Proxy['poison']>[0];

/** Something is so for a while. */
async function during(
  ms: number,
  begin: () => Promise<void>,
  end: () => Promise<void>,
): Promise<void> {
  try {
    await begin();
    await delay(ms);
  } finally {
    await end();
  }
}

function poisoned(toxic: Toxic): Injection {
  return (world, { ms, registry }) => {
    const proxy = world.proxies[registry === 'private' ? 'private' : 'open'];
    return during(ms, () => proxy.poison(toxic), proxy.heal);
  };
}

function moody(mood: Mood): Injection {
  return async (world, { ms }) => {
    world.moody.become(mood);
    await delay(ms);
    world.moody.become('well');
  };
}

export const INJECTIONS: Readonly<Record<MadeFault, Injection>> = {
  'registry slow': poisoned({ type: 'latency', attributes: { latency: 400, jitter: 300 } }),
  'registry resets': poisoned({ type: 'reset_peer', attributes: { timeout: 0 } }),
  'registry silent': poisoned({ type: 'timeout', attributes: { timeout: 0 }, stream: 'upstream' }),
  // Microseconds between pieces.
  'registry sliced': poisoned({
    type: 'slicer',
    attributes: { average_size: 16, size_variation: 8, delay: 20_000 },
  }),
  'registry down': (world, { ms, registry }) => {
    const proxy = world.proxies[registry === 'private' ? 'private' : 'open'];
    return during(
      ms,
      () => proxy.setUp(false),
      () => proxy.setUp(true),
    );
  },
  'registry limits (429)': moody('limits'),
  'registry fails (500)': moody('fails'),
  'registry answers nonsense': moody('nonsense'),
  'registry tells no digest': moody('no digest'),
  'pull secret wrong': (world, { ms }) => {
    const { password } = world.credential;
    return during(
      ms,
      () => writeSecrets(world, 'wrong'),
      () => writeSecrets(world, password),
    );
  },
  'account refused': ({ directory }, { ms }) =>
    during(
      ms,
      () => writeAccounts(directory, 'refused'),
      () => writeAccounts(directory, 'known'),
    ),
  'rights to Secrets taken': withoutRights,
  'replica killed': (world, { nth }) => world.replicas.kill(nth),
  'replica rolled': (world, { nth }) => world.replicas.roll(nth),
  'replica stopped': (world, { nth, ms }) => world.replicas.freeze(nth, ms),
  'connections cut': async ({ balancer }) => balancer.cut(),
  'certificate Secret deleted': async ({ kubectl }) => {
    const flags = ['--namespace=tagpin-system', '--ignore-not-found'];
    await kubectl.run(['delete', 'secret', SECRET, ...flags]);
  },
  'API server frozen': ({ apiServer }, { ms }) => apiServer.freeze(ms),
  'API server killed': ({ apiServer }) => apiServer.killAndStart(),
  'etcd stopped': ({ etcd }, { ms }) => etcd.freeze(ms),
};

/** What is lost for good is put back once its fault is over. */
export async function mend(world: World, name: MadeFault): Promise<void> {
  if (name === 'replica killed') await world.replicas.replace();
}

async function writeSecrets({ kubectl, credential }: World, password: string): Promise<void> {
  const { host, username } = credential;
  const auth = Buffer.from(`${username}:${password}`).toString('base64');
  const config = JSON.stringify({ auths: { [host]: { username, password, auth } } });
  const data = { '.dockerconfigjson': Buffer.from(config).toString('base64') };
  for (const mode of MODES) {
    const inNamespace = new Kubectl(kubectl.kubeconfig, namespaceOf(mode));
    const patch = ['patch', 'secret', PULL_SECRET, `--patch=${JSON.stringify({ data })}`];
    await eventually(() => inNamespace.run(patch));
  }
}

async function withoutRights({ kubectl }: World, { ms }: Strike): Promise<void> {
  const name = ['clusterrolebinding', 'tagpin-pull-secret-reader'];
  const binding = await kubectl.get<Record<string, unknown>>(...name);
  const { apiVersion, kind, roleRef, subjects } = binding;
  const input = { apiVersion, kind, roleRef, subjects, metadata: { name: name[1] } };
  await during(
    ms,
    async () => void (await kubectl.run(['delete', ...name])),
    async () => void (await eventually(() => kubectl.apply(input))),
  );
}
