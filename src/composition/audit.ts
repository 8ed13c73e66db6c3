import type { AuditRegistries } from '../audit/judge.ts';
import type { AuditPorts } from '../audit/run.ts';
import type { Account } from '../audit/use.ts';
import type { AuditSettings } from '../commands/audit-settings.ts';
import { createImageDocuments } from '../contents/image-documents.ts';
import { manifestsOf } from '../contents/platforms.ts';
import type { Registries } from '../contents/registries.ts';
import { PinError } from '../errors.ts';
import { parseReference } from '../image/reference.ts';
import { type ClusterReader, createClusterReader } from '../kube/client.ts';
import { createLists } from '../kube/lists.ts';
import type { ReadQuestion } from '../resolve/image-reader.ts';
import { type ClusterProcess, now, openClusterEngine } from './cluster-engine.ts';
import type { Engine } from './engine.ts';
import { findKubeconfig } from './kubeconfig.ts';
import { findCredentialFiles } from './person-credentials.ts';

/** As many as a registry is asked at a time. */
const AT_A_TIME = 16;
/** An image after the other waits for its turn; nobody waits for the audit. */
const PATIENCE_MS = 60_000;

/**
 * `tagpin audit` from its settings; without a namespace of all of them. Tenants chose the hosts, so
 * the guards are those of the webhook. Throws PinError `invalid_config`.
 */
export function composeAudit(
  settings: AuditSettings,
  { namespace, ...others }: ClusterProcess & { readonly namespace: string | undefined },
): Pick<AuditPorts, 'cluster' | 'openRegistries'> {
  const kubeconfig = findKubeconfig(settings, others.environment);
  return {
    cluster: createLists(kubeconfig, namespace),
    openRegistries: () =>
      openRegistries(settings, others, createClusterReader(kubeconfig, 'name a kubeconfig')),
  };
}

async function openRegistries(
  settings: AuditSettings,
  others: ClusterProcess,
  reader: ClusterReader,
): Promise<AuditRegistries> {
  const { dockerConfig, authFiles } = findCredentialFiles(settings, others.environment);
  const person = { ...settings, dockerConfig, ownCredentialsNamespaces: ['*'] };
  const parts = { reader, perNamespace: AT_A_TIME, authFiles };
  const engine = await openClusterEngine(person, others, parts);
  return engineRegistries(engine, now);
}

/** What an engine has, as an audit asks for it: with the pull secrets of each image. */
export function engineRegistries(
  { resolver, reader }: Pick<Engine, 'resolver' | 'reader'>,
  clock: () => number,
): AuditRegistries {
  return {
    resolve: async (image, identity) => {
      const reference = parseReference(image);
      if (reference.digest !== undefined) {
        return reader.manifest(reference, asked(identity));
      }
      const deadlineAtMs = clock() + PATIENCE_MS;
      const question = { identity, deadlineAtMs, notBeforeMs: undefined };
      const found = await resolver.resolve(reference, question);
      if (found instanceof PinError) throw found;
      return found;
    },
    tags: (repository, identity) => reader.tags(parseReference(repository), asked(identity)),
    entries: (image, identity) =>
      indexEntries(image, {
        manifest: (name) => reader.manifest(parseReference(name), asked(identity)),
        blob: (name, digest) => reader.blob(parseReference(name), digest, asked(identity)),
      }),
  };
}

function asked(identity: Account): ReadQuestion {
  return { identity, timeMs: PATIENCE_MS };
}

/** The digests of all manifests behind an image, in indexes within indexes too. */
async function indexEntries(
  image: string,
  registries: Pick<Registries, 'manifest' | 'blob'>,
): Promise<ReadonlySet<string>> {
  const manifests = await manifestsOf(createImageDocuments(image, registries));
  return new Set(manifests.map(({ digest }) => digest));
}
