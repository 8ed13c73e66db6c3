import type { Mode } from '../admission/policy.ts';
import type { JsonObject } from '../json.ts';
import type { Fact } from './fact.ts';
import type { Handshake } from './handshake.ts';
import type { ReplicaAnswer } from './replicas-asked.ts';
import type { Right } from './right.ts';
import type { Trial } from './trial.ts';

/** Where tagpin is installed, by its manifests. */
export interface Installation {
  readonly namespace: string;
  /** Of the webhook configuration. */
  readonly configuration: string;
}

/** All that is known of a cluster and of the tagpin in it: what every check judges, and nothing else. */
export interface Facts {
  readonly installation: Installation;
  /** The namespaces that somebody named; none where all that are opted in are meant. */
  readonly chosen: readonly string[];
  /** By this machine's clock, when the API server answered, in milliseconds since 1970. */
  readonly localMs: number;
  /** By the API server's. */
  readonly serverMs: number | undefined;
  /** What `/version` says. */
  readonly version: Fact<JsonObject>;
  /** What there is in `admissionregistration.k8s.io/v1`. */
  readonly registrationKinds: Fact<JsonObject>;
  readonly configurations: Fact<readonly JsonObject[]>;
  readonly namespaces: Fact<readonly JsonObject[]>;
  readonly service: Fact<JsonObject>;
  readonly endpointSlices: Fact<readonly JsonObject[]>;
  readonly deployment: Fact<JsonObject>;
  readonly pods: Fact<readonly JsonObject[]>;
  readonly budgets: Fact<readonly JsonObject[]>;
  readonly ownNamespace: Fact<JsonObject>;
  /** With the certificate, or with the authority. */
  readonly secret: Fact<JsonObject>;
  /** By name. */
  readonly policies: ReadonlyMap<string, PolicyFacts>;
  readonly skipList: Fact<JsonObject>;
  /** By origin, of entries that call an address. */
  readonly handshakes: ReadonlyMap<string, Handshake>;
  readonly rights: ReadonlyMap<Right, Fact<boolean>>;
  readonly trials: readonly Trial[];
  /** How many calls of tagpin's entries failed while Pods were tried. */
  readonly failedOpen: Fact<FailedOpen>;
  readonly replicas: readonly ReplicaAnswer[];
  readonly registries: readonly AskedRegistry[];
  /** Where images were looked for. */
  readonly searched: readonly Searched[];
}

/** A policy and what binds it. */
export interface PolicyFacts {
  readonly policy: Fact<JsonObject>;
  readonly binding: Fact<JsonObject>;
}

/** What the API server counted. */
export interface FailedOpen {
  /** Since it has run. */
  readonly inAll: number;
  readonly meanwhile: number;
}

/** An opted-in namespace whose Pods were looked at, for their images. */
export interface Searched {
  readonly namespace: string;
  readonly mode: Mode | undefined;
  readonly pods: Fact<readonly JsonObject[]>;
}

/** A registry, and what each place answered at which its images are looked for. */
export interface AskedRegistry {
  readonly registry: string;
  readonly places: readonly Place[];
}

/** A place of images: the registry itself, or a mirror. */
interface Place {
  readonly origin: string;
  /** Undefined where it answers as registries do. */
  readonly problem: Problem | undefined;
}

/** Why it does not. */
interface Problem {
  /** A code of `error-codes.ts`. */
  readonly reason: string;
  readonly message: string;
  readonly advice: string;
}
