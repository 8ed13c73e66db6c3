import { readFileSync } from 'node:fs';
import { mkdir, writeFile } from 'node:fs/promises';
import { Agent } from 'node:https';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';

import { call } from '../test/support/call.ts';
import { type Authority, createAuthority } from '../test/support/certificate.ts';
import { createCertificateAuthority } from './support/certificate.ts';
import { stopAll } from './support/child-process.ts';
import { type ControlPlane, startControlPlane } from './support/control-plane.ts';
import { readEnvironment } from './support/environment.ts';
import { eventually } from './support/eventually.ts';
import { freePort } from './support/free-port.ts';
import { startInstalledReplica } from './support/installed-replica.ts';
import { Kubectl } from './support/kubectl.ts';
import { behindLocalService } from './support/local-service.ts';
import { applyAll, renderManifests } from './support/manifests.ts';
import { sumSeries } from './support/metrics.ts';
import { pinsOf } from './support/pins.ts';
import { ON_THIS_MACHINE, readOperations, type ServingProcess } from './support/serving.ts';
import { Switch } from './support/switch.ts';
import { TestImage } from './support/test-image.ts';
import { createNamespace } from './support/test-namespace.ts';
import { podTemplateOf, type StoredObject, workload } from './support/workload.ts';

const environment = readEnvironment();
const directory = join(environment.directory, 'client-certificates');
const PAGE = join(import.meta.dirname, '..', 'docs', 'certificates.md');
const SERVICE = 'tagpin.tagpin-system.svc';
/** Of the API server that shows no certificate. */
const CONFIGURATION = 'client-certificates.e2e.example.com';
const LABEL = { 'e2e.example.com/client-certificates': 'none' };
/** In the place of the Service. */
const service = new Switch();

let image: TestImage;
let serving: Authority;
let callers: Authority;
let controlPlane: ControlPlane;
let replica: ServingProcess;

/** The two files of the page, with the paths of this machine, and the port, as there is no Service here on 443. */
async function writeExample(port: number): Promise<string> {
  const blocks = readFileSync(PAGE, 'utf8').matchAll(/^```yaml\n(.*?)^```$/gms);
  const texts = [...blocks].map(([, text = '']) =>
    text
      .replaceAll('/etc/kubernetes/tagpin', directory)
      .replace(`- name: ${SERVICE}\n`, `- name: ${SERVICE}:${port}\n`),
  );
  const [admission, ...others] = texts.filter((text) => text.includes('AdmissionConfiguration'));
  const [kubeconfig, ...more] = texts.filter((text) => text.includes('kind: Config\n'));
  expect([others, more]).toEqual([[], []]);
  await writeFile(join(directory, 'kubeconfig.yaml'), kubeconfig ?? '');
  const file = join(directory, 'admission.yaml');
  await writeFile(file, admission ?? '');
  return file;
}

async function writePair(name: string, authority: Authority, names: string[]): Promise<void> {
  const { cert, key } = await authority.issue(names);
  await writeFile(join(directory, `${name}.crt`), cert);
  await writeFile(join(directory, `${name}.key`), key, { mode: 0o600 });
}

beforeAll(async () => {
  await mkdir(directory);
  [image, serving, callers] = await Promise.all([
    TestImage.ofOnePlatform(environment.registry),
    createAuthority(),
    createAuthority(),
  ]);
  const port = await freePort();
  await service.listen(port);
  await writePair('tls', serving, [SERVICE, '127.0.0.1']);
  await writePair('client', callers, ['kube-apiserver']);
  await writeFile(join(directory, 'callers.crt'), callers.certificate);
  const authority = await createCertificateAuthority();
  controlPlane = await startControlPlane(directory, authority, {
    apiServer: [`--admission-control-config-file=${await writeExample(port)}`],
  });
  const admin = new Kubectl(controlPlane.kubeconfig);
  const endpoint = { port, certificateAuthority: serving.certificate };
  await applyAll(admin, behindLocalService(await renderManifests(admin), endpoint));
  replica = await startInstalledReplica({
    name: 'tagpin',
    directory,
    controlPlane,
    certificateAuthority: authority.certificate,
    settings: [
      `--tls-cert=${join(directory, 'tls.crt')}`,
      `--tls-key=${join(directory, 'tls.key')}`,
      `--client-ca=${join(directory, 'callers.crt')}`,
      '--client-names=kube-apiserver',
      `--plain-http=${environment.registry.host}`,
      ...ON_THIS_MACHINE,
    ],
  });
  service.pointAt(replica.port);
});

afterAll(async () => {
  await service.close();
  await stopAll(directory);
});

async function refusedCallers(): Promise<number> {
  const metrics = await readOperations(replica, '/metrics');
  return sumSeries(metrics, 'tagpin_admission_refused_total', { reason: 'unknown_caller' });
}

/** What a Pod would be stored with, by the tag. */
async function triedImage(namespace: Kubectl): Promise<string | undefined> {
  const pod = workload('Pod', { name: 'tried', image: image.tagged });
  const create = ['create', '--filename=-', '--dry-run=server', '--output=json'];
  const { stdout } = await namespace.run(create, { input: pod });
  return pinsOf(podTemplateOf(JSON.parse(stdout) as object)).images['web'];
}

async function storedImage(namespace: Kubectl): Promise<string | undefined> {
  await namespace.apply(workload('Pod', { image: image.tagged }));
  return pinsOf(podTemplateOf(await namespace.get<StoredObject>('pod', 'web'))).images['web'];
}

describe('a tagpin that asks its callers for certificates', () => {
  it('pins what an API server sends whose AdmissionConfiguration is that of the page', async () => {
    const namespace = await createNamespace(controlPlane.kubeconfig, { mode: 'pin' });
    const pinned = await image.pinned();
    // The API server learns of the webhook a moment after it was applied.
    await eventually(async () => expect(await triedImage(namespace)).toBe(pinned));
    expect(await storedImage(namespace)).toBe(pinned);
    expect(await refusedCallers()).toBe(0);
  });

  it.each([
    ['without one', undefined],
    ['with one of another name', async () => callers.issue(['somebody'])],
    [
      'with one of another authority',
      async () => (await createAuthority()).issue(['kube-apiserver']),
    ],
  ])('ends the handshake of a caller %s', async (_, issue) => {
    const before = await refusedCallers();
    using agent = agentWith(await issue?.());
    await expect(call(replica.port, undefined, { agent })).rejects.toThrow(
      /alert|hang up|ECONNRESET/,
    );
    expect(await refusedCallers()).toBe(before + 1);
  });

  it('refuses an API server that shows none, which stores the tag, and both tell why', async () => {
    const admin = new Kubectl(environment.kubeconfig);
    const namespace = await createNamespace(environment.kubeconfig);
    const label = Object.entries(LABEL).map(([name, value]) => `${name}=${value}`);
    await admin.run(['label', 'namespace', namespace.namespace ?? '', ...label]);
    await admin.apply(configuration());
    try {
      const before = await refusedCallers();
      await eventually(async () => {
        expect(await triedImage(namespace)).toBe(image.tagged);
        expect(await refusedCallers()).toBeGreaterThan(before);
      });
      expect(await storedImage(namespace)).toBe(image.tagged);
      // A log is written once a second.
      await eventually(() => {
        expect(readFileSync(replica.logFile, 'utf8')).toMatch(
          /"code":"unknown_caller","by":"certificate","calls":1,"msg":"callers refused"/,
        );
      });
      const { stdout } = await admin.run(['get', '--raw', '/metrics']);
      const name = 'apiserver_admission_webhook_fail_open_count';
      expect(sumSeries(stdout, name, { name: `pods.${CONFIGURATION}` })).toBeGreaterThan(0);
    } finally {
      await admin.run(['delete', 'mutatingwebhookconfiguration', CONFIGURATION]);
    }
  });
});

function agentWith(pair: { cert: string; key: string } | undefined): Agent & Disposable {
  const agent = new Agent({ ca: serving.certificate, ...pair });
  return Object.assign(agent, { [Symbol.dispose]: () => agent.destroy() });
}

function configuration(): object {
  return {
    apiVersion: 'admissionregistration.k8s.io/v1',
    kind: 'MutatingWebhookConfiguration',
    metadata: { name: CONFIGURATION },
    webhooks: [
      {
        name: `pods.${CONFIGURATION}`,
        clientConfig: {
          url: `https://127.0.0.1:${replica.port}/admission/pin`,
          caBundle: Buffer.from(serving.certificate).toString('base64'),
        },
        namespaceSelector: { matchLabels: LABEL },
        rules: [
          { apiGroups: [''], apiVersions: ['v1'], operations: ['CREATE'], resources: ['pods'] },
        ],
        failurePolicy: 'Ignore',
        sideEffects: 'None',
        admissionReviewVersions: ['v1'],
      },
    ],
  };
}
