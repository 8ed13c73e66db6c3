import { cp, mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';

import { runTagpin } from '../test/support/process.ts';
import { auditFlags, requestsOfTagpin } from './support/audit-log.ts';
import { createCertificateAuthority } from './support/certificate.ts';
import { type RunningProcess, stopAll } from './support/child-process.ts';
import { startControlPlane } from './support/control-plane.ts';
import { readEnvironment } from './support/environment.ts';
import { eventually } from './support/eventually.ts';
import { freePort } from './support/free-port.ts';
import { helm } from './support/helm.ts';
import { startInstalledReplica } from './support/installed-replica.ts';
import { Kubectl } from './support/kubectl.ts';
import { PodMaker } from './support/pod-maker.ts';
import { createPullSecret } from './support/pull-secret.ts';
import { ACCOUNT } from './support/registry.ts';
import { addressOf, CHART, type Rendered, renderOverlay } from './support/rendered.ts';
import { type Role, rightsOf } from './support/rights.ts';
import { Switch } from './support/switch.ts';
import { TestImage } from './support/test-image.ts';
import { createNamespace } from './support/test-namespace.ts';
import { workload } from './support/workload.ts';

const environment = readEnvironment();
const { registry, privateRegistry } = environment;
const directory = join(environment.directory, 'helm');
const NAMESPACE = 'tagpin-system';

/** What stands in the place of the Service: there is no network of Services here, and no node. */
const service = new Switch();
let servicePort: number;
let url: string;
let authorityOfServer: string;
let admin: Kubectl;
let image: TestImage;

beforeAll(async () => {
  await mkdir(directory);
  const authority = await createCertificateAuthority();
  authorityOfServer = authority.certificate;
  const flags = { apiServer: await auditFlags(directory) };
  const controlPlane = await startControlPlane(directory, authority, flags);
  ({ url } = controlPlane);
  admin = new Kubectl(controlPlane.kubeconfig);
  servicePort = await freePort();
  await service.listen(servicePort);
  image = await TestImage.ofOnePlatform(registry);
});

afterAll(async () => {
  await service.close();
  await stopAll(directory);
});

/** Beside those of the chart. */
interface Values {
  readonly [name: string]: unknown;
}

async function release(args: readonly string[], values?: Values): Promise<string> {
  const where = [`--kubeconfig=${admin.kubeconfig}`, `--namespace=${NAMESPACE}`];
  if (values === undefined) return helm([...args, ...where], directory);
  const file = join(directory, 'values.json');
  const address = { webhook: { url: `https://127.0.0.1:${servicePort}` } };
  await writeFile(file, JSON.stringify({ ...address, ...values }));
  return helm([...args, ...where, `--values=${file}`], directory);
}

/**
 * The chart as it would have been packaged as an earlier version. There is no earlier release: it is
 * this chart, with another version.
 */
async function earlierChart(): Promise<string> {
  const folder = join(directory, 'earlier');
  await cp(CHART, folder, { recursive: true });
  const file = join(folder, 'Chart.yaml');
  const text = await readFile(file, 'utf8');
  await writeFile(file, text.replaceAll(/ersion: 0\.1\.0$/gm, 'ersion: 0.0.9'));
  await helm(['package', folder, `--destination=${directory}`], directory);
  return join(directory, 'tagpin-0.0.9.tgz');
}

/** A replica, with the flags that the Deployment has for it, and the rights of its ServiceAccount. */
async function startReplica(name: string): Promise<RunningProcess> {
  const hosts = `${registry.host},${privateRegistry.host}`;
  const replica = await startInstalledReplica({
    name,
    directory,
    controlPlane: { url, kubeconfig: admin.kubeconfig },
    certificateAuthority: authorityOfServer,
    settings: [`--plain-http=${hosts}`, '--allow-address=127.0.0.0/8', '--drain-time=2s'],
  });
  service.leadTo(replica.port);
  return replica;
}

async function untilPinned(kubectl: Kubectl): Promise<void> {
  await eventually(async () => {
    const pod = workload('Pod', { name: 'asks', image: image.tagged });
    const { stdout } = await kubectl.apply(pod, '--dry-run=server', '--output=json');
    expect(stdout).toContain(await image.pinned());
  });
}

async function untilMade(makers: readonly PodMaker[], more: number): Promise<void> {
  const goals = makers.map(({ made }) => made.pinned + made.unpinned + made.failures.length + more);
  await eventually(() => {
    makers.forEach(({ made }, index) => {
      const count = made.pinned + made.unpinned + made.failures.length;
      expect(count).toBeGreaterThanOrEqual(goals[index] ?? 0);
    });
  });
}

describe('a release of helm', () => {
  let first: RunningProcess;
  let second: RunningProcess;
  let makers: readonly PodMaker[];

  it('is installed, here an earlier version of this chart, and pins', async () => {
    const chart = await earlierChart();
    const said = await release(['install', 'tagpin', chart, '--create-namespace'], {
      audit: { every: '24h' },
    });
    expect(said).toContain('kubectl label namespace NAMESPACE tagpin.dev/mode=pin');
    first = await startReplica('first');
    const namespaces = await Promise.all(
      (['pin', 'enforce'] as const).map((mode) => createNamespace(admin.kubeconfig, { mode })),
    );
    for (const kubectl of namespaces) await untilPinned(kubectl);
    makers = namespaces.map((kubectl) => new PodMaker(kubectl, image.tagged));
    await untilMade(makers, 20);
  });

  it('is upgraded to this version and other values while Pods are made: all are pinned', async () => {
    await release(['upgrade', 'tagpin', CHART], {
      audit: { every: '24h' },
      validateDigests: { enabled: true },
      skipInEnforce: true,
      explainInDryRun: true,
    });
    await untilMade(makers, 20);
    second = await startReplica('second');
    await first.stop();
    await untilMade(makers, 20);
    for (const { made } of makers) expect(made).toMatchObject({ unpinned: 0, failures: [] });
  });

  it('was installed with the rights that it uses, and no others', async () => {
    await useEverything();
    const rights = await grantedRights();
    await eventually(async () => expect(await requestsOfTagpin(directory)).toEqual(rights));
  });

  it('is removed while Pods are made: none is refused, in `enforce` neither', async () => {
    await admin.run(['delete', 'validatingadmissionpolicybinding', 'tagpin-enforce']);
    // An API server looks at its policies anew once a second, and nothing tells that it has.
    await delay(5000);
    await release(['uninstall', 'tagpin']);
    await untilMade(makers, 20);
    const made = await Promise.all(makers.map((maker) => maker.stop()));
    for (const { unpinned, failures } of made) {
      expect(failures).toEqual([]);
      expect(unpinned).toBeGreaterThan(0);
    }
    await second.stop();
    const kinds =
      'mutatingwebhookconfigurations,validatingwebhookconfigurations,validatingadmissionpolicies,' +
      'validatingadmissionpolicybindings,clusterroles,clusterrolebindings';
    const label = '--selector=app.kubernetes.io/part-of=tagpin';
    const { stdout } = await admin.run(['get', kinds, label, '--output=name']);
    expect(stdout).toBe('');
  });
});

describe('an installation by kustomize', () => {
  let objects: readonly Rendered[];

  /** By what each is known, and all that it is but its status. */
  async function stored(): Promise<Readonly<Record<string, object>>> {
    const list = { apiVersion: 'v1', kind: 'List', items: objects };
    const get = ['get', '--filename=-', '--output=json'];
    const { stdout } = await admin.run(get, { input: list });
    const { items } = JSON.parse(stdout) as { items: StoredObject[] };
    return Object.fromEntries(
      items.map((item) => {
        const { metadata, status: _, ...content } = item;
        return [addressOf(item), { uid: metadata.uid, ...content }];
      }),
    );
  }

  it('is taken over by Helm 3 and then by Helm 4, and nothing of it is made anew or changed', async () => {
    const rendered = await renderOverlay({ resource: 'overlays/built-in' });
    await admin.apply({ apiVersion: 'v1', kind: 'List', items: rendered });
    // Helm is told a namespace, and does not own it.
    objects = rendered.filter(({ kind }) => kind !== 'Namespace');
    const before = await stored();
    const where = [`--kubeconfig=${admin.kubeconfig}`, `--namespace=${NAMESPACE}`];
    const install = ['install', 'tagpin', CHART, '--take-ownership', ...where];
    await helm(install, directory, 'helm3');
    expect(await stored()).toEqual(before);
    await helm(['upgrade', 'tagpin', CHART, ...where], directory);
    expect(await stored()).toEqual(before);
    const all = `--selector=app.kubernetes.io/managed-by=Helm`;
    const { stdout } = await admin.run(['get', 'deployments,services', all, ...where.slice(1)]);
    expect(stdout).toMatch(/^service\/tagpin /m);
    await helm(['uninstall', 'tagpin', ...where], directory);
    await expect(stored()).rejects.toThrow('NotFound');
  });
});

/** As the API server has it. */
interface StoredObject extends Rendered {
  readonly metadata: Rendered['metadata'] & { readonly uid: string };
  readonly status?: object;
}

/** Whatever tagpin asks an API server for: pull secrets, accounts, siblings; audits run by themselves. */
async function useEverything(): Promise<void> {
  const secret = await TestImage.ofOnePlatform(privateRegistry);
  const kubectl = await createNamespace(admin.kubeconfig, { mode: 'pin', level: 'pods' });
  await createPullSecret(kubectl, 'pull', { host: privateRegistry.host, ...ACCOUNT });
  const deployment = workload('Deployment', { image: secret.tagged });
  await kubectl.run([
    'patch',
    'serviceaccount',
    'default',
    '--patch',
    '{"imagePullSecrets":[{"name":"pull"}]}',
  ]);
  await kubectl.apply(deployment);
  await eventually(async () => {
    const { stdout } = await kubectl.run(['get', 'pods', '--output=jsonpath={..image}']);
    expect(stdout).toContain(await secret.pinned());
  });
  const where = [`--namespace=${kubectl.namespace}`, `--kubeconfig=${admin.kubeconfig}`];
  const { stdout } = await runTagpin(['explain', '--via-webhook', secret.tagged, ...where]);
  expect(stdout).toContain(`its answer   the Pod with ${await secret.pinned()}`);
  const templates = await createNamespace(admin.kubeconfig, { mode: 'pin' });
  await templates.apply(workload('Deployment', { image: secret.tagged }));
}

/** Of the roles that the release has, in the same words as the requests. */
async function grantedRights(): Promise<readonly string[]> {
  const label = '--selector=app.kubernetes.io/part-of=tagpin';
  const { items } = await admin.get<{ items: Role[] }>(
    'clusterroles,roles',
    '--all-namespaces',
    label,
  );
  // A right of people's, and none of tagpin's.
  return rightsOf(items.filter(({ metadata }) => metadata.name !== 'tagpin-explain'));
}
