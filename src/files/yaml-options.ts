/** kubectl and the API server read `<<` (sigs.k8s.io/yaml), which YAML 1.2 has no more. */
export const OPTIONS = { merge: true, logLevel: 'error', prettyErrors: false } as const;
