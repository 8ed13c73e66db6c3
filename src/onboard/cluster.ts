import type { ListedObject } from '../audit/inventory.ts';
import type { JsonObject } from '../json.ts';
import type { OwnerReference } from './owner-reference.ts';

/** What is asked of the cluster about one namespace. Nothing is ever written there. */
export interface OnboardedCluster {
  /**
   * The labels of the namespace; undefined where they may not be read. Rejects with PinError
   * `invalid_config` where there is no such namespace, and `cluster_unreadable`.
   */
  readonly labels: () => Promise<JsonObject | undefined>;
  /** Owners before what they own, Pods last. Throws PinError. */
  readonly objects: () => AsyncIterable<ListedObject>;
  /** Undefined where it is not there any more. Rejects with PinError `cluster_unreadable`. */
  readonly owner: (reference: OwnerReference) => Promise<JsonObject | undefined>;
}
