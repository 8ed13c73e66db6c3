import { spawnSync } from 'node:child_process';
import { join } from 'node:path';

import { unpackedPackage } from './debian.ts';

/**
 * What promtool finds wrong with metrics in the Prometheus text format: a line each.
 *
 * @throws Error for text that is none
 */
export async function findingsOfPromtool(metrics: string): Promise<readonly string[]> {
  const promtool = join(await unpackedPackage('prometheus'), 'usr', 'bin', 'promtool');
  const { status, stderr } = spawnSync(promtool, ['check', 'metrics'], {
    input: metrics,
    encoding: 'utf8',
  });
  const findings = stderr.split('\n').filter((line) => line !== '');
  // 3: it can be read, and breaks a rule (prometheus cmd/promtool, lintErrExitCode).
  if (status !== (findings.length === 0 ? 0 : 3)) throw new Error(`promtool ended: ${stderr}`);
  return findings;
}
