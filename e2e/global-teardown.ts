import { judgeAuditLog } from './support/audit-verdict.ts';
import { readEnvironment } from './support/environment.ts';
import { removeRun } from './support/run-directory.ts';

/**
 * Ends everything that the set-up and the tests started, also after a failure.
 *
 * @throws Error where the API server stored a change of a workload, in any test, that nobody asked for
 */
export default async function globalTeardown(): Promise<void> {
  const { directory } = readEnvironment();
  try {
    const { writes, replicaSets, problems } = await judgeAuditLog(directory);
    process.stderr.write(
      `e2e: ${writes} changes of workloads, ${replicaSets} ReplicaSets looked at\n`,
    );
    if (problems.length > 0) throw new Error(`Nobody asked for this:\n${problems.join('\n')}`);
  } finally {
    await removeRun(directory);
  }
}
