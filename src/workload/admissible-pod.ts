/** Of a Pod that is made in a dry run what its maker has to say. */
export interface AdmissiblePod {
  readonly containers: readonly { readonly name: string; readonly image: string }[];
  /** Undefined: `default`, which the API server adds. */
  readonly serviceAccount: string | undefined;
  /** None: those of the ServiceAccount, which the API server adds. */
  readonly imagePullSecrets: readonly unknown[];
}

/** Satisfies the strictest Pod Security Standard, and any quota that is not used up. */
const CONTAINER = {
  resources: { requests: { cpu: '1m', memory: '1Mi' }, limits: { cpu: '1m', memory: '1Mi' } },
  securityContext: {
    allowPrivilegeEscalation: false,
    capabilities: { drop: ['ALL'] },
    runAsNonRoot: true,
    seccompProfile: { type: 'RuntimeDefault' },
  },
};

/** The `spec` of a Pod for a dry run, which nobody but tagpin need refuse. */
export function admissiblePodSpec(pod: AdmissiblePod): object {
  const { containers, serviceAccount, imagePullSecrets } = pod;
  return {
    restartPolicy: 'Never',
    automountServiceAccountToken: false,
    ...(serviceAccount !== undefined && { serviceAccountName: serviceAccount }),
    ...(imagePullSecrets.length > 0 && { imagePullSecrets }),
    containers: containers.map((container) => ({ ...CONTAINER, ...container })),
  };
}
