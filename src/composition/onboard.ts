import type { OnboardSettings } from '../commands/onboard-settings.ts';
import { parseManifest } from '../image/image-manifest.ts';
import { parseReference } from '../image/reference.ts';
import { type ClusterReader, createClusterReader } from '../kube/client.ts';
import { createOnboardedCluster } from '../kube/onboarding.ts';
import { createForesight } from '../onboard/outlook.ts';
import type { OnboardEngine, OnboardPorts } from '../onboard/run.ts';
import { parseExtraKinds } from '../workload/extra-kinds.ts';
import { type ClusterProcess, now, openClusterEngine } from './cluster-engine.ts';
import { findKubeconfig } from './kubeconfig.ts';
import { pinningOf } from './pinning.ts';

/** For a manifest. */
const READING_MS = 30_000;

/** `tagpin onboard` from its settings. Throws PinError `invalid_config`. */
export function composeOnboard(
  settings: OnboardSettings,
  { namespace, ...others }: ClusterProcess & { readonly namespace: string },
): Pick<OnboardPorts, 'cluster' | 'openEngine'> {
  const kubeconfig = findKubeconfig(settings, others.environment);
  return {
    cluster: createOnboardedCluster(kubeconfig, namespace),
    openEngine: () =>
      openEngine(settings, others, createClusterReader(kubeconfig, 'name a kubeconfig')),
  };
}

/** The webhook's own engine and decisions, with the webhook's settings. */
async function openEngine(
  settings: OnboardSettings,
  others: ClusterProcess,
  reader: ClusterReader,
): Promise<OnboardEngine> {
  const engine = await openClusterEngine(settings, others, { reader });
  const extraKinds = parseExtraKinds(settings.extraKind);
  return {
    foresee: createForesight({ ...pinningOf(settings), resolve: engine.resolver.resolve, now }),
    registries: {
      manifest: (image, identity) =>
        engine.reader.manifest(parseReference(image), { identity, timeMs: READING_MS }),
      entries: async (image, identity) => {
        const asked = { identity, timeMs: READING_MS };
        const { mediaType, bytes } = await engine.reader.manifest(parseReference(image), asked);
        const content = parseManifest(mediaType, bytes);
        const entries = content.kind === 'index' ? content.entries : [];
        return new Set(entries.map(({ digest }) => digest));
      },
    },
    isExtraKind: (groupKind) => extraKinds.has(groupKind),
    close: engine.close,
  };
}
