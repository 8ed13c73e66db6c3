import { generateKeyPairSync } from 'node:crypto';
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';

import { binaryPath } from './binaries.ts';
import type { CertificateAuthority } from './certificate.ts';
import { startProcess } from './child-process.ts';
import { freePort } from './free-port.ts';
import { writeKubeconfig } from './kubeconfig.ts';
import { Kubectl } from './kubectl.ts';
import { featureFlags } from './kubernetes-version.ts';

/** A kube-apiserver with its etcd and its controllers; no scheduler, no node. */
export interface ControlPlane {
  readonly url: string;
  /** The path of a kubeconfig of a cluster administrator. */
  readonly kubeconfig: string;
}

/** Beside the flags that every control plane has. */
interface MoreFlags {
  readonly apiServer?: readonly string[];
  readonly controllerManager?: readonly string[];
}

/**
 * Starts etcd, kube-apiserver and kube-controller-manager on free ports of 127.0.0.1. They are
 * ended with their directory, by `stopAll()`.
 *
 * @throws Error with the end of its log when one of them does not come up
 */
export async function startControlPlane(
  directory: string,
  authority: CertificateAuthority,
  more: MoreFlags = {},
): Promise<ControlPlane> {
  const etcdUrl = await startEtcd(directory);
  const url = `https://127.0.0.1:${await freePort()}`;
  const client = await authority.issueClient('e2e-admin', 'system:masters');
  const kubeconfig = await writeKubeconfig(join(directory, 'admin.kubeconfig'), {
    url,
    certificateAuthority: authority.certificate,
    client,
  });
  const flags = more.apiServer ?? [];
  await startApiServer({ directory, authority, etcdUrl, url, kubeconfig, flags });
  await startControllerManager(directory, kubeconfig, more.controllerManager ?? []);
  return { url, kubeconfig };
}

async function startEtcd(directory: string): Promise<string> {
  const url = `http://127.0.0.1:${await freePort()}`;
  const peerUrl = `http://127.0.0.1:${await freePort()}`;
  await startProcess({
    name: 'etcd',
    directory,
    command: binaryPath('etcd'),
    args: [
      '--name=e2e',
      `--data-dir=${join(directory, 'etcd-data')}`,
      `--listen-client-urls=${url}`,
      `--advertise-client-urls=${url}`,
      `--listen-peer-urls=${peerUrl}`,
      `--initial-advertise-peer-urls=${peerUrl}`,
      `--initial-cluster=e2e=${peerUrl}`,
      // The data goes with the run: a crash loses nothing that anybody wants.
      '--unsafe-no-fsync',
      '--log-level=warn',
    ],
    ready: () => requireOk(`${url}/health`),
  });
  return url;
}

interface ApiServerOptions {
  readonly directory: string;
  readonly authority: CertificateAuthority;
  readonly etcdUrl: string;
  readonly url: string;
  readonly kubeconfig: string;
  /** Beside those that every server has. */
  readonly flags: readonly string[];
}

async function startApiServer(options: ApiServerOptions): Promise<void> {
  const { directory, authority } = options;
  const files = join(directory, 'kube-apiserver');
  await mkdir(files);
  const serving = await authority.issueServer('127.0.0.1');
  const serviceAccount = generateKeyPairSync('rsa', { modulusLength: 2048 });
  const path = (name: string): string => join(files, name);
  await writeFile(path('ca.crt'), authority.certificate);
  await writeFile(path('tls.crt'), serving.certificate);
  await writeFile(path('tls.key'), serving.key);
  await writeFile(
    serviceAccountKey(directory),
    serviceAccount.privateKey.export({ type: 'pkcs8', format: 'pem' }),
  );
  const kubectl = new Kubectl(options.kubeconfig);
  await startProcess({
    name: 'kube-apiserver',
    directory,
    command: binaryPath('kube-apiserver'),
    args: [
      `--etcd-servers=${options.etcdUrl}`,
      '--bind-address=127.0.0.1',
      `--secure-port=${new URL(options.url).port}`,
      `--tls-cert-file=${path('tls.crt')}`,
      `--tls-private-key-file=${path('tls.key')}`,
      `--client-ca-file=${path('ca.crt')}`,
      `--cert-dir=${files}`,
      '--authorization-mode=RBAC',
      '--service-cluster-ip-range=10.96.0.0/16',
      '--service-account-issuer=https://kubernetes.default.svc',
      `--service-account-key-file=${serviceAccountKey(directory)}`,
      `--service-account-signing-key-file=${serviceAccountKey(directory)}`,
      // There is one server and nobody looks for its endpoint.
      '--endpoint-reconciler-type=none',
      ...featureFlags(),
      ...options.flags,
    ],
    ready: async () => {
      await kubectl.run(['get', '--raw', '/readyz']);
    },
  });
}

async function startControllerManager(
  directory: string,
  kubeconfig: string,
  flags: readonly string[],
): Promise<void> {
  const port = await freePort();
  await startProcess({
    name: 'kube-controller-manager',
    directory,
    command: binaryPath('kube-controller-manager'),
    args: [
      `--kubeconfig=${kubeconfig}`,
      `--authentication-kubeconfig=${kubeconfig}`,
      `--authorization-kubeconfig=${kubeconfig}`,
      `--service-account-private-key-file=${serviceAccountKey(directory)}`,
      '--bind-address=127.0.0.1',
      `--secure-port=${port}`,
      `--cert-dir=${join(directory, 'kube-controller-manager')}`,
      '--leader-elect=false',
      ...flags,
    ],
    // It has no condition for "every controller runs"; that it makes a namespace's first
    // ServiceAccount is what the tests build on.
    ready: async () => {
      await new Kubectl(kubeconfig).run(['get', 'serviceaccount', 'default']);
    },
  });
}

function serviceAccountKey(directory: string): string {
  return join(directory, 'kube-apiserver', 'service-account.key');
}

async function requireOk(url: string): Promise<void> {
  const response = await fetch(url);
  if (!response.ok) throw new Error(`${url} answered ${response.status}`);
}
