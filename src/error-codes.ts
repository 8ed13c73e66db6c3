/** How long a failure may be remembered. `never`: the next review asks again. */
export type FailureCaching = 'never' | 'briefly' | 'backoff';

/**
 * What follows from one error code. The table of rules is exhaustive: a new code does not
 * compile without its rule, and a test compares it with the table of reasons in the documentation.
 */
export interface ErrorRule {
  /** A second attempt inside the same look-up can help. */
  readonly retry: boolean;
  readonly caching: FailureCaching;
  /** The last known digest may answer instead. Never after an answer of the registry. */
  readonly servesStale: boolean;
  /** The next credential of the keyring may do better (kubelet tries each in turn). */
  readonly nextCredential: boolean;
  /** HTTP status when the whole review fails; image errors never fail a review. */
  readonly httpStatus: 200 | 400 | 401 | 413 | 415 | 500 | 503;
  /** What the reader of the message can do, in one clause. */
  readonly action: string;
  /** The same for whoever runs the command line, where it differs. */
  readonly actionOnCommandLine?: string;
}

/** The closed set of codes: metric label, and key of the troubleshooting table. */
export type PinErrorCode =
  | 'invalid_reference'
  | 'not_found'
  | 'unauthorized'
  | 'missing_secret'
  | 'forbidden_secret'
  | 'secret_unreadable'
  | 'invalid_secret'
  | 'unsupported_manifest'
  | 'rate_limited'
  | 'unavailable'
  | 'dns_failed'
  | 'tls_failed'
  | 'invalid_response'
  | 'deadline_exceeded'
  | 'blocked_address'
  | 'short_name'
  | 'digest_not_served'
  | 'cluster_unreadable'
  | 'credential_source_failed'
  | 'too_many_images'
  | 'too_many_secrets'
  | 'invalid_config'
  | 'invalid_review'
  | 'review_too_large'
  | 'unsupported_content_type'
  | 'unknown_caller'
  | 'overloaded'
  | 'internal';

const IMAGE_ERROR = {
  retry: false,
  caching: 'never',
  servesStale: false,
  nextCredential: false,
  httpStatus: 200,
} as const;

const NETWORK_ERROR = {
  ...IMAGE_ERROR,
  retry: true,
  caching: 'backoff',
  servesStale: true,
} as const;

const REVIEW_ERROR = { ...IMAGE_ERROR, action: 'report this review to the operator' } as const;

export const ERROR_RULES: Readonly<Record<PinErrorCode, ErrorRule>> = {
  invalid_reference: { ...IMAGE_ERROR, action: 'correct the image name' },
  not_found: {
    ...IMAGE_ERROR,
    caching: 'briefly',
    // Some registries say 404 of what a credential may not see.
    nextCredential: true,
    action: 'push the tag, or correct its name',
  },
  unauthorized: {
    ...IMAGE_ERROR,
    caching: 'briefly',
    nextCredential: true,
    action: 'name a pull secret that may read this repository',
    actionOnCommandLine: 'log in to the registry, with docker login for example',
  },
  missing_secret: {
    ...IMAGE_ERROR,
    action: 'create the pull secret, or take its name out of imagePullSecrets',
  },
  forbidden_secret: {
    ...IMAGE_ERROR,
    action:
      'let tagpin read Secrets and ServiceAccounts of this namespace: kubectl create rolebinding tagpin-pull-secret-reader --namespace NAMESPACE --clusterrole tagpin-pull-secret-reader --serviceaccount tagpin-system:tagpin',
  },
  secret_unreadable: {
    ...IMAGE_ERROR,
    action: 'look at the API server, which did not answer',
  },
  invalid_secret: { ...IMAGE_ERROR, action: 'write the pull secret anew' },
  unsupported_manifest: {
    ...IMAGE_ERROR,
    caching: 'briefly',
    action: 'push the image again with a current tool',
  },
  rate_limited: {
    ...IMAGE_ERROR,
    caching: 'backoff',
    servesStale: true,
    action: 'wait, or pull with an account of a higher limit',
  },
  unavailable: { ...NETWORK_ERROR, action: 'try again when the registry answers' },
  dns_failed: { ...NETWORK_ERROR, action: 'correct the host name, or mend DNS' },
  tls_failed: {
    ...NETWORK_ERROR,
    retry: false,
    action: 'give the registry a certificate that tagpin trusts',
  },
  invalid_response: {
    ...IMAGE_ERROR,
    caching: 'backoff',
    action: 'look at what answers under this name: it is not a registry',
  },
  deadline_exceeded: {
    ...NETWORK_ERROR,
    retry: false,
    action: 'try again when the registry answers in time',
  },
  blocked_address: {
    ...IMAGE_ERROR,
    action: 'ask the operator of tagpin about this registry',
    actionOnCommandLine: 'name another registry, or use the flag if you trust this one',
  },
  short_name: { ...IMAGE_ERROR, action: 'write the registry in front of the name' },
  digest_not_served: {
    ...IMAGE_ERROR,
    caching: 'briefly',
    action: 'pull the tag once through this registry, or look at why it does not serve digests',
  },
  cluster_unreadable: {
    ...IMAGE_ERROR,
    action: 'see whether the API server answers, and what you may list there',
  },
  credential_source_failed: {
    ...IMAGE_ERROR,
    caching: 'backoff',
    action: 'ask the operator of tagpin about its own credentials',
    actionOnCommandLine: 'log in again, or mend the credential helper',
  },
  too_many_images: { ...IMAGE_ERROR, action: 'split the object' },
  too_many_secrets: { ...IMAGE_ERROR, action: 'name fewer pull secrets' },
  invalid_config: { ...IMAGE_ERROR, httpStatus: 500, action: 'correct the setting' },
  invalid_review: { ...REVIEW_ERROR, httpStatus: 400 },
  review_too_large: { ...REVIEW_ERROR, httpStatus: 413 },
  unsupported_content_type: { ...REVIEW_ERROR, httpStatus: 415 },
  unknown_caller: {
    ...REVIEW_ERROR,
    httpStatus: 401,
    action: 'look at the paths in the webhook configuration',
  },
  overloaded: { ...REVIEW_ERROR, httpStatus: 503, action: 'try again in a second' },
  internal: { ...REVIEW_ERROR, httpStatus: 500 },
};

/** Whether a word, such as the end of a message, is one of the codes. */
export function isPinErrorCode(word: string): word is PinErrorCode {
  return Object.hasOwn(ERROR_RULES, word);
}

/** What an operator can do about a failure in a namespace. */
export function actionIn(namespace: string, code: PinErrorCode): string {
  return ERROR_RULES[code].action.replaceAll('NAMESPACE', () => namespace);
}
