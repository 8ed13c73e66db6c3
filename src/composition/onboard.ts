import type { OnboardSettings } from '../commands/onboard-settings.ts';
import { parseManifest } from '../image/image-manifest.ts';
import { parseReference } from '../image/reference.ts';
import { createClusterReader } from '../kube/client.ts';
import { createOnboardedCluster } from '../kube/onboarding.ts';
import { createForesight } from '../onboard/outlook.ts';
import type { OnboardEngine, OnboardPorts } from '../onboard/run.ts';
import { createCache } from '../resolve/cache.ts';
import { parseExtraKinds } from '../workload/extra-kinds.ts';
import { composeEngine } from './engine.ts';
import { findKubeconfig } from './kubeconfig.ts';
import { NO_LOG, NO_METRICS } from './nobody.ts';
import { pinningOf } from './pinning.ts';

/** What `tagpin onboard` is told by its process. */
export interface OnboardProcess {
  readonly version: string;
  /** For the programs that it starts and the files that it names. */
  readonly environment: Readonly<Record<string, string | undefined>>;
}

const now = (): number => performance.now();

/** One run asks for each tag once. */
const CACHE = { ttlMs: 600_000, staleIfErrorMs: 0, random: Math.random };
/** For a manifest. */
const READING_MS = 30_000;

/** `tagpin onboard` from its settings. Throws PinError `invalid_config`. */
export function composeOnboard(
  settings: OnboardSettings,
  { namespace, ...others }: OnboardProcess & { readonly namespace: string },
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
  { version, environment }: OnboardProcess,
  reader: ReturnType<typeof createClusterReader>,
): Promise<OnboardEngine> {
  const engine = composeEngine(settings, {
    cache: createCache(CACHE),
    reader,
    metrics: NO_METRICS,
    userAgent: `tagpin/${version}`,
    log: NO_LOG,
    environment,
    now,
    asksReasons: true,
  });
  const extraKinds = parseExtraKinds(settings.extraKind);
  await Promise.all([engine.load(), reader.load()]);
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
