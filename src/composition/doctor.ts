import type { DoctorSettings } from '../commands/doctor-settings.ts';
import type { AskedRegistry } from '../doctor/facts.ts';
import { gatherFacts } from '../doctor/gather.ts';
import { lookAtServer } from '../doctor/handshake.ts';
import type { DoctorPorts } from '../doctor/run.ts';
import type { Sample } from '../doctor/sample.ts';
import { servedSettings } from '../doctor/served-settings.ts';
import { PinError } from '../errors.ts';
import { parseReference } from '../image/reference.ts';
import type { JsonObject } from '../json.ts';
import { createApiRequests } from '../kube/api-requests.ts';
import { createClusterReader } from '../kube/client.ts';
import { isName } from '../kube/object-name.ts';
import type { RegistrySettings } from '../settings/registry-settings.ts';
import { type ClusterProcess, openClusterEngine } from './cluster-engine.ts';
import { findKubeconfig } from './kubeconfig.ts';

/** For a registry to answer at all. */
const PING_MS = 10_000;

/** `tagpin doctor` from its settings. Throws PinError `invalid_config`. */
export function composeDoctor(
  settings: DoctorSettings,
  others: ClusterProcess,
): Omit<DoctorPorts, 'streams'> {
  const { inCluster, installedIn, namespaces, webhookConfiguration } = settings;
  for (const name of [installedIn, webhookConfiguration, ...namespaces]) {
    if (isName(name)) continue;
    throw new PinError('invalid_config', `${JSON.stringify(name)} is no name of an object`);
  }
  const kubeconfig = inCluster ? undefined : findKubeconfig(settings, others.environment);
  const closing: (() => Promise<void>)[] = [];
  const askRegistries = async (
    samples: readonly Sample[],
    deployment: JsonObject | undefined,
  ): Promise<readonly AskedRegistry[]> => {
    if (samples.length === 0) return [];
    const reader = createClusterReader(kubeconfig, 'name a kubeconfig');
    const asWebhook = { ...settings, ...namedAlso(settings, deployment) };
    const engine = await openClusterEngine(asWebhook, others, { reader });
    closing.push(engine.close);
    return Promise.all(
      samples.map(async ({ registry, image }) => {
        const places = await engine.ping(parseReference(image), PING_MS);
        return {
          registry,
          places: places.map(({ origin, error }) => ({
            origin,
            problem: error && {
              reason: error.code,
              message: error.message,
              advice: error.rule.action,
            },
          })),
        };
      }),
    );
  };
  return {
    kubectlFlags: kubectlFlags(settings),
    gather: () =>
      gatherFacts({
        installation: { namespace: installedIn, configuration: webhookConfiguration },
        chosen: namespaces,
        isTagpin: inCluster,
        ask: createApiRequests(kubeconfig),
        lookAtServer,
        askRegistries,
      }),
    close: async () => {
      await Promise.all(closing.map((close) => close()));
    },
  };
}

function kubectlFlags({ inCluster, kubeconfig, context }: DoctorSettings): readonly string[] {
  if (inCluster) return [];
  return Object.entries({ kubeconfig, context }).flatMap(([flag, value]) =>
    value === undefined ? [] : [`--${flag}`, value],
  );
}

/** Whom the flags of the Deployment name, beside those that were given. */
function namedAlso(
  given: RegistrySettings,
  deployment: JsonObject | undefined,
): Pick<RegistrySettings, 'plainHttp' | 'allowAddress' | 'allowRegistry'> {
  const { settings: served } = servedSettings(deployment);
  return {
    plainHttp: [...given.plainHttp, ...served.plainHttp],
    allowAddress: [...given.allowAddress, ...served.allowAddress],
    allowRegistry: [...given.allowRegistry, ...served.allowRegistry],
  };
}
