import { X509Certificate } from 'node:crypto';
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { connect } from 'node:tls';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';

import { renew, startCertManager } from './support/cert-manager.ts';
import { createCertificateAuthority } from './support/certificate.ts';
import { stopAll } from './support/child-process.ts';
import { type ControlPlane, startControlPlane } from './support/control-plane.ts';
import { readEnvironment } from './support/environment.ts';
import { eventually } from './support/eventually.ts';
import { freePort } from './support/free-port.ts';
import { startInstalledReplica } from './support/installed-replica.ts';
import { Kubectl } from './support/kubectl.ts';
import { behindLocalService } from './support/local-service.ts';
import { applyAll } from './support/manifests.ts';
import { PodMaker } from './support/pod-maker.ts';
import { renderOverlay } from './support/rendered.ts';
import { SecretMount } from './support/secret-mount.ts';
import { ON_THIS_MACHINE, type ServingProcess } from './support/serving.ts';
import { Switch } from './support/switch.ts';
import { TestImage } from './support/test-image.ts';
import { createNamespace } from './support/test-namespace.ts';
import { workload } from './support/workload.ts';

const environment = readEnvironment();
const directory = join(environment.directory, 'cert-manager');
const SERVICE = 'tagpin.tagpin-system.svc';
/** In the place of the Service. */
const service = new Switch();

let image: TestImage;
let controlPlane: ControlPlane;
let system: Kubectl;
let mount: SecretMount;
let replica: ServingProcess;

/** The Secrets of the two Certificates. */
type SecretName = 'tagpin-tls' | 'tagpin-authority';

async function stored(secret: SecretName, key: 'tls.crt' | 'ca.crt' = 'tls.crt'): Promise<string> {
  const { data } = await system.get<{ data: Record<string, string> }>('secret', secret);
  return Buffer.from(data[key] ?? '', 'base64').toString();
}

interface Configuration {
  readonly kind: string;
  readonly metadata: { readonly name: string };
  readonly webhooks: readonly { readonly clientConfig: { readonly caBundle?: string } }[];
}

async function configurations(): Promise<readonly Configuration[]> {
  const kinds = 'mutatingwebhookconfigurations,validatingwebhookconfigurations';
  return (await system.get<{ items: readonly Configuration[] }>(kinds)).items;
}

/** Of each entry of both configurations. */
async function bundles(): Promise<readonly string[]> {
  return (await configurations())
    .flatMap(({ webhooks }) => webhooks)
    .map(({ clientConfig: { caBundle = '' } }) => Buffer.from(caBundle, 'base64').toString());
}

/** The certificates of a PEM text, in one form, as cert-manager writes it anew. */
function certificatesIn(pem: string): readonly string[] {
  const blocks = pem.match(/-----BEGIN CERTIFICATE-----[^-]+-----END CERTIFICATE-----/g) ?? [];
  return blocks.map((block) => new X509Certificate(block).fingerprint256);
}

/** What a new connection to the Service shows, as an API server looks at it that trusts what is stored now. */
async function shown(): Promise<X509Certificate> {
  const [bundle = ''] = await bundles();
  return new Promise((resolve, reject) => {
    const options = { port: replica.port, host: '127.0.0.1', servername: SERVICE, ca: bundle };
    const socket = connect(options, () => {
      resolve(socket.getPeerX509Certificate()!);
      socket.destroy();
    });
    socket.once('error', reject);
  });
}

/** Looks at new connections, none of which may fail, until something is so. */
async function lookingUntil(isSo: () => boolean | Promise<boolean>): Promise<void> {
  do await shown();
  while (!(await isSo()));
}

/** Until tagpin shows what is mounted, which it looks at every ten seconds. */
function lookingUntilShown(pem: string): Promise<void> {
  const { fingerprint256 } = new X509Certificate(pem);
  return lookingUntil(async () => (await shown()).fingerprint256 === fingerprint256);
}

/** Waits until there is another certificate, and gives it. */
async function renewed(secret: SecretName, start: () => Promise<unknown>): Promise<string> {
  const before = await stored(secret);
  await start();
  return eventually(async () => {
    const now = await stored(secret);
    expect(certificatesIn(now)).not.toEqual(certificatesIn(before));
    return now;
  });
}

beforeAll(async () => {
  await mkdir(directory);
  image = await TestImage.ofOnePlatform(environment.registry);
  const port = await freePort();
  await service.listen(port);
  const authority = await createCertificateAuthority();
  controlPlane = await startControlPlane(directory, authority);
  system = new Kubectl(controlPlane.kubeconfig, 'tagpin-system');
  await startCertManager(directory, controlPlane.kubeconfig);
  const overlay = { resource: 'overlays/cert-manager', components: ['validate-digests'] };
  const objects = await renderOverlay(overlay);
  await applyAll(new Kubectl(controlPlane.kubeconfig), behindLocalService(objects, { port }));
  mount = new SecretMount(system, 'tagpin-tls', join(directory, 'certs'));
  await eventually(() => mount.update());
  replica = await startInstalledReplica({
    name: 'tagpin',
    directory,
    controlPlane,
    certificateAuthority: authority.certificate,
    settings: [
      `--tls-cert=${mount.path('tls.crt')}`,
      `--tls-key=${mount.path('tls.key')}`,
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

describe('the overlay cert-manager, with its controllers', () => {
  it('has a serving certificate, and its authority in each entry of both configurations', async () => {
    const authority = await stored('tagpin-authority');
    const serving = new X509Certificate(await stored('tagpin-tls'));
    expect(serving.subjectAltName).toBe(`DNS:${SERVICE}`);
    expect(serving.verify(new X509Certificate(authority).publicKey)).toBe(true);
    await eventually(async () => {
      const all = await bundles();
      expect(all.length).toBeGreaterThan(6);
      expect(new Set(all.flatMap(certificatesIn))).toEqual(new Set(certificatesIn(authority)));
      expect(all.every((bundle) => certificatesIn(bundle).length === 1)).toBe(true);
    });
    expect((await shown()).fingerprint256).toBe(serving.fingerprint256);
  });

  it('renews the serving certificate, the authority and its key while each Pod is made and pinned', async () => {
    const namespace = await createNamespace(controlPlane.kubeconfig, { mode: 'pin' });
    // The API server learns of namespace and webhook a moment after they were made.
    await eventually(async () => {
      const first = workload('Pod', { name: 'first', image: image.tagged });
      const create = ['create', '--filename=-', '--dry-run=server', '--output=yaml'];
      expect((await namespace.run(create, { input: first })).stdout).toContain(
        await image.pinned(),
      );
    });
    const maker = new PodMaker(namespace, image.tagged);
    const before = await stored('tagpin-authority');
    try {
      await mountedAnew(await renewed('tagpin-tls', () => renew(system, 'tagpin-serving')));
      expect(certificatesIn(await stored('tagpin-tls', 'ca.crt'))).toEqual(certificatesIn(before));

      // By the same key: what was signed before is good under either certificate of the authority.
      const renewedAuthority = await renewed('tagpin-authority', () =>
        renew(system, 'tagpin-authority'),
      );
      const { publicKey } = new X509Certificate(renewedAuthority);
      expect(new X509Certificate(await stored('tagpin-tls')).verify(publicKey)).toBe(true);
      await mountedAnew(await signedBy(renewedAuthority));

      const withOtherKey = await renewed('tagpin-authority', () =>
        system.run(['delete', 'secret', 'tagpin-authority']),
      );
      expect(new X509Certificate(withOtherKey).publicKey.equals(publicKey)).toBe(false);
      await mountedAnew(await signedBy(withOtherKey));
      const [bundle = ''] = await bundles();
      expect(certificatesIn(bundle)).toEqual(
        [before, renewedAuthority, withOtherKey].flatMap(certificatesIn),
      );

      await trustAlone(withOtherKey);
      await lookingUntil(async () => {
        const trusted = (await bundles()).flatMap(certificatesIn);
        return new Set(trusted).isSubsetOf(new Set(certificatesIn(withOtherKey)));
      });
    } finally {
      await maker.stop();
    }
    const { pinned, unpinned, failures } = maker.made;
    process.stderr.write(`e2e: ${pinned} Pods made while cert-manager renewed everything\n`);
    expect({ unpinned, failures }).toEqual({ unpinned: 0, failures: [] });
    expect(pinned).toBeGreaterThan(25);
  });
});

/** Renews the serving certificate until it is signed by this authority, of which its issuer has to learn. */
function signedBy(authority: string): Promise<string> {
  return eventually(async () => {
    const serving = await renewed('tagpin-tls', () => renew(system, 'tagpin-serving'));
    const ca = await stored('tagpin-tls', 'ca.crt');
    expect(certificatesIn(ca)).toEqual(certificatesIn(authority));
    return serving;
  });
}

/** As somebody takes authorities out whose keys have leaked: entry by entry, as on docs/certificates.md. */
async function trustAlone(authority: string): Promise<void> {
  const value = Buffer.from(authority).toString('base64');
  for (const { kind, metadata, webhooks } of await configurations()) {
    for (const at of webhooks.keys()) {
      const path = `/webhooks/${at}/clientConfig/caBundle`;
      const patch = JSON.stringify([{ op: 'replace', path, value }]);
      await system.run(['patch', kind, metadata.name, '--type=json', `--patch=${patch}`]);
    }
  }
}

/** First the bundles have what a kubelet has not brought yet, then tagpin shows it. */
async function mountedAnew(serving: string): Promise<void> {
  const [ca = ''] = certificatesIn(await stored('tagpin-tls', 'ca.crt'));
  await lookingUntil(async () =>
    (await bundles()).every((bundle) => certificatesIn(bundle).includes(ca)),
  );
  await mount.update();
  await lookingUntilShown(serving);
}
