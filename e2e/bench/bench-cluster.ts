import { mkdtemp, readFile, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { buildBinaries } from '../support/binaries.ts';
import { type CertificateAuthority, createCertificateAuthority } from '../support/certificate.ts';
import { type ControlPlane, startControlPlane } from '../support/control-plane.ts';
import { Kubectl } from '../support/kubectl.ts';
import { killRun, removeRun } from '../support/run-directory.ts';
import { freePorts } from '../support/serving.ts';
import { Webhook } from '../support/webhook.ts';

/** A real control plane for a measurement, with the certificates that its webhooks need. */
export interface BenchCluster {
  readonly directory: string;
  readonly controlPlane: ControlPlane;
  /** In PEM. */
  readonly authority: string;
  readonly kubectl: Kubectl;
  /** For a webhook on loopback. */
  readonly certificate: ServingFiles;
  readonly stop: () => Promise<void>;
}

interface ServingFiles {
  readonly certificateFile: string;
  readonly keyFile: string;
}

/** @param controllerFlags of kube-controller-manager, beside the usual ones */
export async function startBenchCluster(
  controllerFlags: readonly string[] = [],
): Promise<BenchCluster> {
  await buildBinaries(['etcd', 'kube-apiserver', 'kube-controller-manager', 'kubectl']);
  const directory = await mkdtemp(join(tmpdir(), 'tagpin-bench-'));
  process.once('exit', () => killRun(directory));
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => process.exit(1));
  const stop = (): Promise<void> => removeRun(directory);
  try {
    const authority = await createCertificateAuthority();
    const controlPlane = await startControlPlane(directory, authority, {
      controllerManager: controllerFlags,
    });
    return {
      directory,
      controlPlane,
      authority: authority.certificate,
      kubectl: new Kubectl(controlPlane.kubeconfig),
      certificate: await servingFiles(directory, authority),
      stop,
    };
  } catch (error) {
    await stop();
    throw error;
  }
}

async function servingFiles(
  directory: string,
  authority: CertificateAuthority,
): Promise<ServingFiles> {
  const { certificate, key } = await authority.issueServer('127.0.0.1');
  const files = {
    certificateFile: join(directory, 'serving.crt'),
    keyFile: join(directory, 'serving.key'),
  };
  await writeFile(files.certificateFile, certificate);
  await writeFile(files.keyFile, key, { mode: 0o600 });
  return files;
}

interface RunningWebhook {
  readonly webhook: Webhook;
  readonly port: number;
  readonly pid: number;
}

/** This checkout's webhook beside it; its process ends with the cluster. */
export async function startWebhookBeside(
  cluster: BenchCluster,
  registryHost: string,
  settings: readonly string[] = [],
): Promise<RunningWebhook> {
  const { directory, controlPlane, certificate } = cluster;
  const { kubeconfig } = controlPlane;
  const registry = { host: registryHost, logFile: '' };
  const address = {
    ...certificate,
    ...(await freePorts()),
    kubeconfig,
  };
  const environment = {
    directory,
    kubeconfig,
    registry,
    privateRegistry: registry,
    webhook: address,
  };
  const webhook = new Webhook(environment, settings);
  await webhook.start();
  const pidFile = join(directory, `webhook-${address.port}.pid`);
  return { webhook, port: address.port, pid: Number(await readFile(pidFile, 'utf8')) };
}

/** Creates a namespace, and waits for its ServiceAccount, without which the API server takes no Pod. */
export async function createBenchNamespace(
  { kubectl }: BenchCluster,
  name: string,
  labels: Readonly<Record<string, string>> = {},
): Promise<void> {
  const namespace = { apiVersion: 'v1', kind: 'Namespace', metadata: { name, labels } };
  await kubectl.run(['create', '--filename=-'], { input: namespace });
  await kubectl.run(['wait', '--for=create', 'serviceaccount/default', `--namespace=${name}`]);
}
