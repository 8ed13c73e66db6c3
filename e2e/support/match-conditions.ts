import type { Kubectl } from './kubectl.ts';
import { sumSeries } from './metrics.ts';

/**
 * How often the API server could not evaluate a match condition of this webhook entry, or policy,
 * since it started. It then admits the object without it, under `failurePolicy: Ignore`, and
 * nothing but this metric says so.
 */
export async function matchConditionErrors(
  kubectl: Kubectl,
  name: string,
  kind: 'webhook' | 'policy' = 'webhook',
): Promise<number> {
  const { stdout } = await kubectl.run(['get', '--raw', '/metrics']);
  const metric = 'apiserver_admission_match_condition_evaluation_errors_total';
  return sumSeries(stdout, metric, { kind, name });
}
