import { admissiblePodSpec } from '../workload/admissible-pod.ts';
import { EXPLAIN_ANNOTATION } from '../workload/annotations.ts';

/** Its name is what the annotation says: whatever injects a sidecar adds containers with others. */
export const EXPLAINED_CONTAINER = 'explained';

/** A Pod whose dry run asks for an explanation. */
export interface DryRunPod {
  readonly image: string;
  /** `default` where none is named. */
  readonly serviceAccount: string | undefined;
  /** None: those of the ServiceAccount, which the API server adds. */
  readonly pullSecrets: readonly string[];
}

/** The Pod, which nothing but the webhook need refuse. */
export function dryRunPod({ image, serviceAccount, pullSecrets }: DryRunPod): object {
  return {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: {
      generateName: 'tagpin-explain-',
      annotations: { [EXPLAIN_ANNOTATION]: EXPLAINED_CONTAINER },
    },
    spec: admissiblePodSpec({
      containers: [{ name: EXPLAINED_CONTAINER, image }],
      serviceAccount,
      imagePullSecrets: pullSecrets.map((name) => ({ name })),
    }),
  };
}
