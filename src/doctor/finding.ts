/** How a check ended. One that could not be made is a warning. */
export type Status = 'ok' | 'warning' | 'failed';

/** Every check by its stable name, in the order in which they are told, with what it looks at. */
export const CHECKS = {
  'api-server': 'The API server answers, in a version that tagpin supports.',
  'policies-available': 'The API server has ValidatingAdmissionPolicy, on which `enforce` rests.',
  clock: 'This clock and that of the API server agree.',
  'webhook-configuration': 'One webhook configuration calls tagpin, for every mode.',
  'webhook-entries': 'Each entry is called for what this version ships, and fails open.',
  'webhook-target':
    'What the entries call is there: the Service, its port, ready Pods behind it; or the address.',
  'ca-bundle':
    'Each caBundle can be read, is valid for a while, and signed the certificate that is shown.',
  'enforce-policy': 'The policy of `enforce` is bound, has its list, and can be evaluated.',
  'label-policy': 'The policy is bound that refuses misspelt labels of namespaces.',
  namespaces: 'A namespace is opted in, and no label under `tagpin.dev/` is misspelt.',
  'own-namespace': "tagpin's own namespace is never called for, and enforces Pod Security.",
  replicas: 'Two replicas are ready, or more, all of one image.',
  settings: "The settings of tagpin's Deployment can be read.",
  'disruption-budget': 'A PodDisruptionBudget keeps a replica while nodes are drained.',
  'rights-pull-secrets': 'tagpin may read pull secrets in the namespaces that are opted in.',
  'rights-siblings': 'tagpin may list Pods, unless `--sibling-pins=false`.',
  'rights-certificates': 'With built-in certificates: tagpin may keep them.',
  'rights-events': 'With `--events`: tagpin may create Events.',
  'rights-audit': 'With `--audit-every`: tagpin may list workloads.',
  'rights-explanations': 'With `--explain-in-dry-run`: tagpin may ask who may have explanations.',
  'rights-excess': 'tagpin may do nothing that it never does.',
  called: 'A Pod that is tried, and not stored, is seen by tagpin: one for each mode in use.',
  pinned: 'An image that runs there comes back with its digest.',
  'fail-open': 'The API server makes no call that fails while that is tried.',
  'replica-clock': 'The clocks of the replicas and that of the API server agree.',
  registry: 'The registries of Pods that run in these namespaces answer: from where this runs.',
} as const;

export type CheckId = keyof typeof CHECKS;

/** One line of the report. */
export interface Finding {
  readonly id: CheckId;
  /** Of which object it is; absent where there is one alone. */
  readonly about?: string | undefined;
  readonly status: Status;
  readonly says: string;
  /** What to do about it. */
  readonly advice?: string | undefined;
  /** The same as a command for a shell, where there is an exact one. */
  readonly command?: string | undefined;
}

/** What to do, and by which command. */
export type Remedy = Pick<Finding, 'advice' | 'command'>;
