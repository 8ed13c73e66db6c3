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

/** The Pod, as the Pod Security Standard `restricted` has them, so that nothing else need refuse it. */
export function dryRunPod({ image, serviceAccount, pullSecrets }: DryRunPod): object {
  return {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: {
      generateName: 'tagpin-explain-',
      annotations: { [EXPLAIN_ANNOTATION]: EXPLAINED_CONTAINER },
    },
    spec: {
      restartPolicy: 'Never',
      automountServiceAccountToken: false,
      ...(serviceAccount !== undefined && { serviceAccountName: serviceAccount }),
      ...(pullSecrets.length > 0 && { imagePullSecrets: pullSecrets.map((name) => ({ name })) }),
      securityContext: {
        runAsNonRoot: true,
        runAsUser: 65_532,
        seccompProfile: { type: 'RuntimeDefault' },
      },
      containers: [
        {
          name: EXPLAINED_CONTAINER,
          image,
          securityContext: { allowPrivilegeEscalation: false, capabilities: { drop: ['ALL'] } },
        },
      ],
    },
  };
}
