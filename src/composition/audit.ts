import type { AuditRegistries } from '../audit/judge.ts';
import type { AuditPorts } from '../audit/run.ts';
import type { Account } from '../audit/use.ts';
import type { AuditSettings } from '../commands/audit-settings.ts';
import { createImageDocuments } from '../contents/image-documents.ts';
import { manifestsOf } from '../contents/platforms.ts';
import type { Registries } from '../contents/registries.ts';
import { PinError } from '../errors.ts';
import { parseReference } from '../image/reference.ts';
import { createClusterReader } from '../kube/client.ts';
import { createLists } from '../kube/lists.ts';
import { createCache } from '../resolve/cache.ts';
import type { ReadQuestion } from '../resolve/image-reader.ts';
import { composeEngine, type Engine } from './engine.ts';
import { findKubeconfig } from './kubeconfig.ts';
import { NO_LOG, NO_METRICS } from './nobody.ts';
import { type Environment, findCredentialFiles } from './person-credentials.ts';

/** What `tagpin audit` is told by its process. */
export interface AuditProcess {
  readonly version: string;
  /** For the programs that it starts and the files that it names. */
  readonly environment: Environment;
}

const now = (): number => performance.now();

/** One run asks for each tag once. */
const CACHE = { ttlMs: 600_000, staleIfErrorMs: 0, random: Math.random };
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
  { namespace, ...others }: AuditProcess & { readonly namespace: string | undefined },
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
  { version, environment }: AuditProcess,
  reader: ReturnType<typeof createClusterReader>,
): Promise<AuditRegistries> {
  const { dockerConfig, authFiles } = findCredentialFiles(settings, environment);
  const person = { ...settings, dockerConfig, ownCredentialsNamespaces: ['*'] };
  const engine = composeEngine(person, {
    cache: createCache(CACHE),
    reader,
    metrics: NO_METRICS,
    userAgent: `tagpin/${version}`,
    log: NO_LOG,
    environment,
    now,
    perNamespace: AT_A_TIME,
    asksReasons: true,
    authFiles,
  });
  await Promise.all([engine.load(), reader.load()]);
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
