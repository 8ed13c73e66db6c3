import { PinError } from '../errors.ts';
import type { Resolver } from '../resolve/resolver.ts';
import type { ExplainQuestion } from './explanation.ts';
import type { Recorder } from './recorder.ts';

/** Whose credentials an image is looked up with. */
export type PullIdentity = Parameters<Resolver['resolve']>[1]['identity'];

export interface IdentityParts {
  readonly recorder: Pick<Recorder, 'read'>;
  /** The names of the pull secrets of a Pod; undefined where there is no such Pod. */
  readonly podSecrets: (namespace: string, name: string) => Promise<readonly string[] | undefined>;
}

/**
 * Of a Pod its own list alone, for the API server has copied its ServiceAccount's (kubernetes
 * plugin/pkg/admission/serviceaccount); of a template without a list, its ServiceAccount's. Rejects
 * with PinError, `invalid_config` where there is no such Pod.
 */
export async function identityOf(
  { recorder, podSecrets }: IdentityParts,
  { namespace, pod, serviceAccount }: ExplainQuestion,
): Promise<PullIdentity> {
  if (namespace === undefined) return NOBODY;
  if (pod === undefined) {
    return { namespace, pullSecrets: [], serviceAccount: serviceAccount ?? 'default' };
  }
  const pullSecrets = await recorder.read({
    kind: 'Pod',
    namespace,
    name: pod,
    act: () => podSecrets(namespace, pod),
    pullSecretsOf: (names) => names,
  });
  if (pullSecrets !== undefined) return { namespace, pullSecrets, serviceAccount: undefined };
  throw new PinError('invalid_config', `there is no Pod ${JSON.stringify(`${namespace}/${pod}`)}`);
}

/** A person, who has no pull secrets. */
const NOBODY: PullIdentity = { namespace: '', pullSecrets: [], serviceAccount: undefined };
