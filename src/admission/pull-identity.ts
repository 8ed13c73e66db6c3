import { isJsonObject, listOf, textOf } from '../json.ts';
import type { Location, PodTemplate } from '../workload/locations.ts';
import type { PullIdentity } from './ports.ts';

/**
 * Whose credentials may be used for a pod template. For a Pod its own list alone: the API server has
 * already copied the ServiceAccount's where the Pod had none (kubernetes
 * plugin/pkg/admission/serviceaccount). A template gets the same rule.
 */
export function pullIdentityOf(
  namespace: string,
  { isPod }: Location,
  { spec }: PodTemplate,
): PullIdentity {
  const pullSecrets: string[] = [];
  for (const item of listOf(spec, 'imagePullSecrets')) {
    const name = isJsonObject(item) ? textOf(item, 'name') : undefined;
    if (name !== undefined && name !== '') pullSecrets.push(name);
  }
  const lends = !isPod && pullSecrets.length === 0;
  if (!lends) return { namespace, pullSecrets, serviceAccount: undefined };
  const account = textOf(spec, 'serviceAccountName') || textOf(spec, 'serviceAccount') || 'default';
  return { namespace, pullSecrets, serviceAccount: account };
}
