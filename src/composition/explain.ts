import type { ExplainSettings } from '../commands/explain-settings.ts';
import { identityOf } from '../explain/identity.ts';
import { createRecorder } from '../explain/recorder.ts';
import type { Explain } from '../explain/run.ts';
import { createApiRequests } from '../kube/api-requests.ts';
import { type ClusterReader, createClusterReader } from '../kube/client.ts';
import { createCache } from '../resolve/cache.ts';
import { composeEngine } from './engine.ts';
import { composeExplainer } from './explainer.ts';
import { findKubeconfig } from './kubeconfig.ts';
import { NO_CLUSTER } from './no-cluster.ts';
import { NO_METRICS } from './nobody.ts';
import { findCredentialFiles } from './person-credentials.ts';

/** What `tagpin explain` is told by its process. */
export interface ExplainProcess {
  readonly version: string;
  /** For the programs that it starts and the files that it names. */
  readonly environment: Readonly<Record<string, string | undefined>>;
}

const now = (): number => performance.now();

/** One look-up, with nothing before it. */
const CACHE = { ttlMs: 60_000, staleIfErrorMs: 0, random: Math.random };

/** What a cluster is asked, beside what the webhook asks. */
export type ExplainedCluster = Pick<
  ClusterReader,
  'load' | 'readPod' | 'readPullSecretNames' | 'readSecret'
>;

/** `tagpin explain` from its settings. */
export function composeExplain(
  settings: ExplainSettings,
  { namespace, ...others }: ExplainProcess & { readonly namespace: string | undefined },
): Explain {
  const cluster = namespace === undefined ? undefined : clusterOf(settings, others.environment);
  return explainWith(cluster, settings, others);
}

/** The webhook's own engine, which tells what it does; without a cluster, for a person. */
export function explainWith(
  cluster: ExplainedCluster | undefined,
  settings: ExplainSettings,
  { version, environment }: ExplainProcess,
): Explain {
  return async (question, observe) => {
    const recorder = createRecorder({ observe, now });
    const reader = cluster ?? NO_CLUSTER;
    const engine = composeEngine(cluster ? settings : asPerson(settings, environment), {
      cache: createCache(CACHE),
      reader,
      metrics: NO_METRICS,
      userAgent: `tagpin/${version}`,
      log: recorder.log,
      environment,
      now,
      authFiles: cluster ? [] : findCredentialFiles(settings, environment).authFiles,
    });
    await Promise.all([engine.load(), cluster?.load()]);
    const explain = composeExplainer(settings, { engine, reader, now });
    const podSecrets = async (where: string, name: string) =>
      (await cluster?.readPod(where, name))?.pullSecrets;
    const asked = {
      image: question.image,
      identity: () => identityOf({ recorder, podSecrets }, question),
    };
    try {
      return await explain(asked, recorder);
    } finally {
      await engine.close();
    }
  };
}

/** Without a cluster a person's own credentials are for the person. */
function asPerson(
  settings: ExplainSettings,
  environment: ExplainProcess['environment'],
): ExplainSettings {
  const { dockerConfig } = findCredentialFiles(settings, environment);
  return { ...settings, dockerConfig, ownCredentialsNamespaces: ['*'] };
}

function clusterOf(
  settings: ExplainSettings,
  environment: ExplainProcess['environment'],
): ClusterReader {
  const kubeconfig = findKubeconfig(settings, environment);
  const reader = createClusterReader(kubeconfig, 'without --namespace no cluster is asked');
  const ask = createApiRequests(kubeconfig);
  // Where nobody answers, no pull secret is known, and what registries say without them misleads.
  const load = async (): Promise<void> => {
    await reader.load();
    await ask({ method: 'GET', path: '/version' });
  };
  return { ...reader, load };
}
