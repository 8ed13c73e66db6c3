import { mkdtemp, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { auditFlags } from './support/audit-log.ts';
import { buildBinaries } from './support/binaries.ts';
import type { CertificateAuthority } from './support/certificate.ts';
import { createCertificateAuthority } from './support/certificate.ts';
import type { ControlPlane } from './support/control-plane.ts';
import { startControlPlane } from './support/control-plane.ts';
import type { WebhookAddress } from './support/environment.ts';
import { publishEnvironment } from './support/environment.ts';
import { writeKubeconfig } from './support/kubeconfig.ts';
import { Kubectl } from './support/kubectl.ts';
import { installManifests } from './support/manifests.ts';
import { waitForPolicy } from './support/policy-in-force.ts';
import { startRegistry } from './support/registry.ts';
import { killRun, removeRun } from './support/run-directory.ts';
import { freePorts } from './support/serving.ts';

/** Builds what is missing and starts what every test shares; the webhook is each file's own. */
export default async function globalSetup(): Promise<void> {
  await buildBinaries();
  const started = performance.now();
  const directory = await mkdtemp(join(tmpdir(), 'tagpin-e2e-'));
  endWithThisProcess(directory);
  try {
    await startEverything(directory);
  } catch (error) {
    // The runner calls no tear-down after a set-up that failed.
    await removeRun(directory);
    throw error;
  }
  const seconds = ((performance.now() - started) / 1000).toFixed(1);
  process.stderr.write(`e2e: control plane and registries up in ${seconds} s\n`);
}

async function startEverything(directory: string): Promise<void> {
  const authority = await createCertificateAuthority();
  const [controlPlane, registry, privateRegistry] = await Promise.all([
    startControlPlane(directory, authority, { apiServer: await auditFlags(directory) }),
    startRegistry(directory, 'open'),
    startRegistry(directory, 'private'),
  ]);
  const { kubeconfig } = controlPlane;
  const webhook = await prepareWebhook(directory, authority, controlPlane);
  await waitForPolicy(new Kubectl(kubeconfig));
  publishEnvironment({ directory, kubeconfig, registry, privateRegistry, webhook });
}

/** Installs the manifests, and gives the webhook the identity that they give it in a cluster. */
async function prepareWebhook(
  directory: string,
  authority: CertificateAuthority,
  { url, kubeconfig }: ControlPlane,
): Promise<WebhookAddress> {
  const admin = new Kubectl(kubeconfig);
  const ports = await freePorts();
  await installManifests(admin, { port: ports.port, certificateAuthority: authority.certificate });
  const serving = await authority.issueServer('127.0.0.1');
  const certificateFile = join(directory, 'webhook.crt');
  const keyFile = join(directory, 'webhook.key');
  await writeFile(certificateFile, serving.certificate);
  await writeFile(keyFile, serving.key);
  const token = await admin.run(['create', 'token', 'tagpin', '--namespace=tagpin-system']);
  const webhookKubeconfig = await writeKubeconfig(join(directory, 'webhook.kubeconfig'), {
    url,
    certificateAuthority: authority.certificate,
    token: token.stdout.trim(),
  });
  return { ...ports, certificateFile, keyFile, kubeconfig: webhookKubeconfig };
}

/** However the run ends, it leaves no process behind. */
function endWithThisProcess(directory: string): void {
  process.once('exit', () => killRun(directory));
  for (const signal of ['SIGINT', 'SIGTERM'] as const) {
    process.once(signal, () => process.exit(1));
  }
}
