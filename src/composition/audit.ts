import type { AuditPorts } from '../audit/run.ts';
import type { AuditSettings } from '../commands/audit-settings.ts';
import { createImageDocuments } from '../contents/image-documents.ts';
import { manifestsOf } from '../contents/platforms.ts';
import type { Registries } from '../contents/registries.ts';
import { createClusterReader } from '../kube/client.ts';
import { createLists } from '../kube/lists.ts';
import { type CommandLineProcess, composeRegistries } from './command-line.ts';
import { findKubeconfig } from './kubeconfig.ts';

/** `tagpin audit` from its settings; without a namespace of all of them. Throws PinError `invalid_config`. */
export function composeAudit(
  settings: AuditSettings,
  { namespace, ...person }: CommandLineProcess & { readonly namespace: string | undefined },
): Pick<AuditPorts, 'cluster' | 'openRegistries'> {
  const kubeconfig = findKubeconfig(settings, person.environment);
  return {
    cluster: createLists(kubeconfig, namespace),
    openRegistries: async () => {
      const reader = createClusterReader(kubeconfig, 'name a kubeconfig');
      const registriesFor = composeRegistries(settings, person, reader);
      return {
        resolve: (image, account) => registriesFor(account).resolve(image),
        tags: (repository, account) => registriesFor(account).tags(repository),
        entries: (image, account) => indexEntries(image, registriesFor(account)),
      };
    },
  };
}

/** The digests of all manifests behind an image, in indexes within indexes too. */
export async function indexEntries(
  image: string,
  registries: Pick<Registries, 'manifest' | 'blob'>,
): Promise<ReadonlySet<string>> {
  const manifests = await manifestsOf(createImageDocuments(image, registries));
  return new Set(manifests.map(({ digest }) => digest));
}
