import { spawn } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** As much of Jest's JSON report as is counted. */
interface JestReport {
  readonly numPassedTests: number;
  readonly numFailedTests: number;
  readonly numPendingTests: number;
  /** Files that did not even load; they hold no test that could fail. */
  readonly numRuntimeErrorTestSuites: number;
}

interface StageResult {
  readonly name: string;
  readonly seconds: string;
  readonly exitCode: number;
  readonly passed: number;
  readonly failed: number;
  /** Those that a machine has not what they need for: their names say what. */
  readonly skipped: number;
}

/** Runs npm scripts one after the other, until one fails; those called `test:…` are Jest's. */
async function main(names: readonly string[]): Promise<number> {
  const reports = await mkdtemp(join(tmpdir(), 'tagpin-stages-'));
  const results: StageResult[] = [];
  for (const name of names) {
    const result = await runStage(name, join(reports, `${name.replaceAll(':', '-')}.json`));
    results.push(result);
    if (result.exitCode !== 0) break;
  }
  await rm(reports, { recursive: true });
  return printSummary(names, results);
}

async function runStage(name: string, reportFile: string): Promise<StageResult> {
  process.stdout.write(`\n── ${name}\n`);
  const jestArguments = ['--', '--json', `--outputFile=${reportFile}`];
  const startedMs = performance.now();
  const exitCode = await npmRun([name, ...(name.startsWith('test:') ? jestArguments : [])]);
  const seconds = ((performance.now() - startedMs) / 1000).toFixed(1);
  const report = existsSync(reportFile) ? readReport(reportFile) : undefined;
  const passed = report?.numPassedTests ?? 0;
  const failed = (report?.numFailedTests ?? 0) + (report?.numRuntimeErrorTestSuites ?? 0);
  const skipped = report?.numPendingTests ?? 0;
  // A stage that fails without a failing test, such as the type check, counts as one failure.
  const atLeast = exitCode === 0 ? 0 : 1;
  return { name, seconds, exitCode, passed, failed: Math.max(atLeast, failed), skipped };
}

function npmRun(args: readonly string[]): Promise<number> {
  const child = spawn('npm', ['run', '--silent', ...args], { stdio: 'inherit' });
  return new Promise((resolve, reject) => {
    child.once('error', reject);
    child.once('close', (code) => resolve(code ?? 1));
  });
}

function readReport(file: string): JestReport {
  return JSON.parse(readFileSync(file, 'utf8')) as JestReport;
}

/** The counts stand alone on the last line, for programs to read. */
function printSummary(names: readonly string[], results: readonly StageResult[]): number {
  process.stdout.write('\n');
  for (const name of names) {
    const result = results.find((candidate) => candidate.name === name);
    const state = result === undefined ? 'not run' : result.exitCode === 0 ? 'ok' : 'FAILED';
    const skipped =
      result === undefined || result.skipped === 0 ? '' : `, ${result.skipped} SKIPPED`;
    process.stdout.write(
      `${name.padEnd(12)} ${(result?.seconds ?? '-').padStart(7)} s  ${state}${skipped}\n`,
    );
  }
  const passed = results.reduce((sum, result) => sum + result.passed, 0);
  const failed = results.reduce((sum, result) => sum + result.failed, 0);
  process.stdout.write(`${passed} passed, ${failed} failed\n`);
  return failed === 0 && passed > 0 ? 0 : 1;
}

process.exitCode = await main(process.argv.slice(2));
