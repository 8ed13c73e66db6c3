import type { Kubectl } from './kubectl.ts';
import { sumSeries } from './metrics.ts';

/** What the API server counted of the match conditions of webhooks since it started. */
export interface MatchConditionCounts {
  readonly evaluated: number;
  readonly failed: number;
}

/**
 * A condition that fails to evaluate under `failurePolicy: Ignore` admits the object without a
 * call; nothing but this metric says so.
 */
export async function matchConditionCounts(kubectl: Kubectl): Promise<MatchConditionCounts> {
  const { stdout } = await kubectl.run(['get', '--raw', '/metrics']);
  const metric = 'apiserver_admission_match_condition_evaluation';
  return {
    evaluated: sumSeries(stdout, `${metric}_seconds_count`, { kind: 'webhook' }),
    failed: sumSeries(stdout, `${metric}_errors_total`),
  };
}
