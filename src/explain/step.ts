/** One thing that happened while a tag was looked up. Nothing in it is secret. */
export type Step = {
  /** Since the beginning, in milliseconds. */
  readonly atMs: number;
} & StepBody;

export type StepBody =
  | ImageStep
  | ClusterStep
  | CredentialsStep
  | CacheStep
  | PlacesStep
  | LeftAloneStep
  | AskingStep
  | CredentialStep
  | RequestStep
  | AnsweredStep
  | WarningStep;

/** What the image names: by its digest where it has one. */
type ImageStep = {
  readonly step: 'image';
  readonly registry: string;
  readonly repository: string;
} & ({ readonly tag: string } | { readonly digest: string });

/** An object that was read, or could not be. */
export interface ClusterStep {
  readonly step: 'cluster';
  readonly kind: 'Pod' | 'ServiceAccount' | 'Secret';
  /** `namespace/name`. */
  readonly name: string;
  readonly ms: number;
  /** `found`, `missing`, or the code of the failure. */
  readonly result: string;
  /** The names of the pull secrets that a Pod or ServiceAccount has. */
  readonly pullSecrets?: readonly string[];
  readonly message?: string;
  /** The rule of RBAC that is missing. */
  readonly needs?: MissingRule;
}

/** What whoever reads the cluster would have to be allowed. */
interface MissingRule {
  readonly verb: 'get';
  readonly resource: string;
  readonly namespace: string;
}

/** Who may be offered to the registry, in the order in which they are tried. */
interface CredentialsStep {
  readonly step: 'credentials';
  /** The pull secrets with something for this image. */
  readonly own: readonly string[];
  /** The operator's sources, which are asked when their turn comes. */
  readonly lent: readonly string[];
}

interface CacheStep {
  readonly step: 'cache';
  readonly result: string;
}

/** Where the image may be asked for, in this order. */
interface PlacesStep {
  readonly step: 'places';
  readonly places: readonly Place[];
}

export interface Place {
  readonly registry: string;
  readonly origin: string;
  /** `fallback`: http, where https of the same host could not be talked to. */
  readonly role: 'mirror' | 'registry' | 'fallback';
}

/** A gate or a breaker keeps a place from being asked. */
interface LeftAloneStep {
  readonly step: 'left_alone';
  readonly registry: string;
  readonly reason: string;
  readonly message: string;
}

/** No gate and no breaker does. */
interface AskingStep {
  readonly step: 'asking';
  readonly registry: string;
  readonly origin: string;
}

/** Whose turn it is. */
interface CredentialStep {
  readonly step: 'credential';
  /** Where it is from; null: without any. */
  readonly origin: string | null;
  /** The operator's source that lent it; null: it is the pod's own. */
  readonly lentBy: string | null;
}

export interface RequestStep {
  readonly step: 'request';
  readonly purpose: 'image' | 'token';
  readonly method: string;
  readonly host: string;
  readonly path: string;
  /** `Bearer`, `Basic`; null where the request had no authorization. */
  readonly authorization: string | null;
  /** HTTP status, or the code of the failure. */
  readonly answer: string;
  readonly ms: number;
}

/** What came of one place. */
type AnsweredStep = { readonly step: 'answered'; readonly registry: string } & (
  | { readonly digest: string }
  | { readonly reason: string; readonly message: string }
);

/** What the webhook would log. */
interface WarningStep {
  readonly step: 'warning';
  readonly message: string;
}
