import { join } from 'node:path';
import type { Random } from '../simulation/random.ts';
import { Balancer } from '../support/balancer.ts';
import { createCertificateAuthority } from '../support/certificate.ts';
import { type ControlPlane, startControlPlane } from '../support/control-plane.ts';
import type { Environment } from '../support/environment.ts';
import { freePort } from '../support/free-port.ts';
import { writeKubeconfig } from '../support/kubeconfig.ts';
import { Kubectl } from '../support/kubectl.ts';
import { installBuiltIn } from '../support/manifests.ts';
import { waitForPolicy } from '../support/policy-in-force.ts';
import { createPullSecret, type PullCredential } from '../support/pull-secret.ts';
import { ACCOUNT, type Registry, startRegistry } from '../support/registry.ts';
import { type Proxy, startToxiproxy } from '../support/toxiproxy.ts';
import { asPusher, writeAccounts } from './accounts.ts';
import type { Mode } from './admission.ts';
import { soakAuditFlags } from './audit.ts';
import { distributionStore } from './distribution-store.ts';
import type { RegistryName } from './fault-kind.ts';
import { MoodyRegistry } from './moody-registry.ts';
import { Replicas } from './replicas.ts';
import { ServerProcess } from './server-process.ts';
import { SoakTag, type TagStore } from './soak-tag.ts';

export const MODES: readonly Mode[] = ['pin', 'enforce', 'warn'];
export const PULL_SECRET = 'pull';
const TAGS_OF_A_REGISTRY = 6;

/** All that a soak goes on in. */
export interface World {
  readonly directory: string;
  readonly kubeconfig: string;
  readonly kubectl: Kubectl;
  readonly apiServer: ServerProcess;
  readonly etcd: ServerProcess;
  readonly balancer: Balancer;
  readonly replicas: Replicas;
  /** In front of the real registries. */
  readonly proxies: Readonly<Record<'open' | 'private', Proxy>>;
  readonly moody: MoodyRegistry;
  /** What pull secrets say of the private registry. */
  readonly credential: PullCredential;
  readonly tags: readonly SoakTag[];
  readonly stop: () => Promise<void>;
}

interface WorldParts {
  /** Takes logs and process ids, by which `stopAll()` ends what is left. */
  readonly directory: string;
  readonly random: Random;
  /** Of each replica. */
  readonly settings: readonly string[];
}

/** A namespace of each mode. */
export function namespaceOf(mode: Mode): string {
  return `soak-${mode}`;
}

export async function startWorld({ directory, random, settings }: WorldParts): Promise<World> {
  const authority = await createCertificateAuthority();
  const [controlPlane, open, locked, toxiproxy] = await Promise.all([
    startControlPlane(directory, authority, {
      apiServer: await soakAuditFlags(directory),
      // So that the audit log tells its controllers apart.
      controllerManager: ['--use-service-account-credentials=true'],
    }),
    startRegistry(directory, 'open'),
    startRegistry(directory, 'private'),
    startToxiproxy(directory),
  ]);
  await writeAccounts(directory, 'known');
  const { kubeconfig } = controlPlane;
  const kubectl = new Kubectl(kubeconfig);
  const proxies = {
    open: await toxiproxy.before(open.host),
    private: await toxiproxy.before(locked.host),
  };
  const moody = new MoodyRegistry();
  await moody.start();
  const port = await freePort();
  await installBuiltIn(kubectl, port);
  await waitForPolicy(kubectl);
  const environment = await environmentOf(directory, controlPlane, authority.certificate);
  const replicas = new Replicas(environment, settings);
  const balancer = new Balancer(() => replicas.ports());
  await balancer.listen(port);
  await replicas.start();
  const credential = { host: proxies.private.host, ...ACCOUNT };
  for (const mode of MODES) await createNamespace(kubectl, mode, credential);
  const stores = {
    open: distributionStore(open),
    private: distributionStore(asPusher(locked)),
    moody,
  };
  const hosts = { open: proxies.open.host, private: proxies.private.host, moody: moody.host };
  return {
    directory,
    kubeconfig,
    kubectl,
    apiServer: serverOf(directory, 'kube-apiserver', kubectl),
    etcd: serverOf(directory, 'etcd', kubectl),
    balancer,
    replicas,
    proxies,
    moody,
    credential,
    tags: await createTags(stores, hosts, random),
    stop: async () => {
      await replicas.stop();
      await balancer.close();
      await toxiproxy.stop();
      moody.stop();
    },
  };
}

function serverOf(directory: string, name: string, kubectl: Kubectl): ServerProcess {
  const ready = async (): Promise<void> => void (await kubectl.run(['get', '--raw', '/readyz']));
  return new ServerProcess({ directory, name, ready });
}

/** As the replicas are started: with the rights of their ServiceAccount, for registries of this machine. */
async function environmentOf(
  directory: string,
  { url, kubeconfig }: ControlPlane,
  certificateAuthority: string,
): Promise<Environment> {
  const create = ['create', 'token', 'tagpin', '--namespace=tagpin-system', '--duration=24h'];
  const token = await new Kubectl(kubeconfig).run(create);
  const own = await writeKubeconfig(join(directory, 'tagpin.kubeconfig'), {
    url,
    certificateAuthority,
    token: token.stdout.trim(),
  });
  const anyOfThisMachine: Registry = { host: '127.0.0.1:*', logFile: '' };
  return {
    directory,
    kubeconfig,
    registry: anyOfThisMachine,
    privateRegistry: anyOfThisMachine,
    webhook: { port: 0, operationsPort: 0, certificateFile: '', keyFile: '', kubeconfig: own },
  };
}

async function createNamespace(
  kubectl: Kubectl,
  mode: Mode,
  credential: PullCredential,
): Promise<void> {
  const name = namespaceOf(mode);
  const metadata = { name, labels: { 'tagpin.dev/mode': mode } };
  const namespace = { apiVersion: 'v1', kind: 'Namespace', metadata };
  await kubectl.run(['create', '--filename=-'], { input: namespace });
  await kubectl.run(['wait', '--for=create', 'serviceaccount/default', `--namespace=${name}`]);
  await createPullSecret(new Kubectl(kubectl.kubeconfig, name), PULL_SECRET, credential);
}

async function createTags(
  stores: Readonly<Record<RegistryName, TagStore>>,
  hosts: Readonly<Record<RegistryName, string>>,
  random: Random,
): Promise<readonly SoakTag[]> {
  const tags = (['open', 'private', 'moody'] as const).flatMap((registry) =>
    Array.from({ length: TAGS_OF_A_REGISTRY }, (_, n) => {
      const repository = `soak/${registry}-${n}`;
      return new SoakTag({ registry, host: hosts[registry], repository, store: stores[registry] });
    }),
  );
  for (const tag of tags) await tag.move(random);
  return tags;
}
