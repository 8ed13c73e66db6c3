import type { Environment } from './environment.ts';
import type { Kubectl } from './kubectl.ts';
import { sumSeries } from './metrics.ts';
import {
  freePorts,
  ON_THIS_MACHINE,
  readOperations,
  type ServingProcess,
  type ServingSpec,
  startServing,
} from './serving.ts';

export const CONFIGURATION = 'tagpin';
export const SECRET = 'tagpin-certificates';
/** The label of namespaces for whose Pods a {@link bareConfiguration} of this name has tagpin called. */
const LABEL = 'e2e.example.com/built-in';

/** As much of a webhook configuration as is read here. */
export interface Configuration {
  readonly metadata: { readonly name: string; readonly resourceVersion: string };
  readonly webhooks: readonly {
    readonly name: string;
    readonly clientConfig: {
      readonly url: string;
      readonly caBundle?: string;
      readonly service?: { readonly path: string };
    };
  }[];
}

/** One replica with built-in certificates. */
export interface BuiltInReplica extends ServingProcess {
  readonly metric: (name: string, labels?: Readonly<Record<string, string>>) => Promise<number>;
}

/** Starts one, with certificates that live as long as it is told, and waits until it is ready. */
export async function startReplica(
  { directory, webhook, registry }: Environment,
  settings: readonly string[],
  options: Pick<ServingSpec, 'env' | 'isReady'> = {},
): Promise<BuiltInReplica> {
  const ports = await freePorts();
  const running = await startServing({
    name: `built-in-${ports.port}`,
    directory,
    ports,
    flags: [
      '--certificates=built-in',
      '--certificate-names=127.0.0.1',
      `--kubeconfig=${webhook.kubeconfig}`,
      `--plain-http=${registry.host}`,
      ...ON_THIS_MACHINE,
      ...settings,
    ],
    ...options,
  });
  const metric: BuiltInReplica['metric'] = async (name, labels) =>
    sumSeries(await readOperations(ports, '/metrics'), name, labels);
  return { ...running, metric };
}

/**
 * A configuration as the component has it: no caBundle, no path. `Fail` where tagpin's own entries have
 * `Ignore`, so that each call that does not get its answer is a Pod that is not made.
 */
export function bareConfiguration(port: number, name: string = CONFIGURATION): object {
  const optedIn = { [LABEL]: name };
  const entry = {
    name: 'pods.pin.tagpin.dev',
    clientConfig: { url: `https://127.0.0.1:${port}` },
    namespaceSelector: {
      matchLabels: optedIn,
      matchExpressions: [{ key: 'tagpin.dev/mode', operator: 'NotIn', values: ['enforce'] }],
    },
    rules: [{ apiGroups: [''], apiVersions: ['v1'], operations: ['CREATE'], resources: ['pods'] }],
    failurePolicy: 'Fail',
    reinvocationPolicy: 'IfNeeded',
    timeoutSeconds: 10,
    sideEffects: 'None',
    admissionReviewVersions: ['v1'],
  };
  const others = {
    ...entry,
    name: 'other.example.com',
    clientConfig: { url: 'https://127.0.0.1:1/other' },
    namespaceSelector: { matchLabels: { [LABEL]: 'nobody' } },
  };
  // As tagpin's own: what is missed, the policy refuses.
  const enforce = {
    ...entry,
    name: 'pods.enforce.tagpin.dev',
    namespaceSelector: { matchLabels: { ...optedIn, 'tagpin.dev/mode': 'enforce' } },
    failurePolicy: 'Ignore',
  };
  // A path has a field of its own here, which a file need not have.
  const inService = {
    ...others,
    name: 'workloads.pin.tagpin.dev',
    clientConfig: { service: { namespace: 'tagpin-system', name: 'tagpin' } },
  };
  return {
    apiVersion: 'admissionregistration.k8s.io/v1',
    kind: 'MutatingWebhookConfiguration',
    metadata: { name },
    webhooks: [others, entry, inService, enforce],
  };
}

/** Has tagpin called for the Pods of a namespace, by the {@link bareConfiguration} of this name. */
export async function callFor(
  admin: Kubectl,
  { namespace = '' }: Kubectl,
  name: string = CONFIGURATION,
): Promise<void> {
  await admin.run(['label', 'namespace', namespace, `${LABEL}=${name}`]);
}

/** What the Secret says: authorities from the oldest on. */
export async function generationsOf(
  kubectl: Kubectl,
): Promise<
  readonly { readonly certificate: string; readonly token: string; readonly settled: boolean }[]
> {
  const { data } = await kubectl.get<{ data: Record<string, string> }>(
    'secret',
    SECRET,
    '--namespace=tagpin-system',
  );
  const text = Buffer.from(data['certificates.json'] ?? '', 'base64').toString();
  const { generations } = JSON.parse(text) as {
    generations: { certificate: string; token: string; settled: boolean }[];
  };
  return generations;
}
