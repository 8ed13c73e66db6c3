import { execFile } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import * as fc from 'fast-check';

import { readConstraints } from '../src/check/constraint.ts';
import { checkText } from '../src/check/findings.ts';
import { constraints, objects } from './gator/arbitraries.ts';
import { binaryPath, buildBinaries } from './support/binaries.ts';

const BUILD_TIMEOUT_MS = 600_000;
const TEMPLATE = join(import.meta.dirname, 'gator', 'template.yaml');
/** A run of gator takes a quarter of a second, so that a failure is not made smaller. */
const RUNS = { numRuns: 60, endOnFailure: true };
// A comparison of nothing but empty answers would show nothing.
const ENOUGH = 200;

/** Who refused what, with the message: comparable as text. */
type Verdict = string;

let directory: string;

beforeAll(async () => {
  await buildBinaries(['gator']);
  directory = await mkdtemp(join(tmpdir(), 'tagpin-check-'));
}, BUILD_TIMEOUT_MS);
afterAll(() => rm(directory, { recursive: true }));

describe('tagpin check', () => {
  it('gives the verdicts and messages of gator', async () => {
    let refused = 0;
    await fc.assert(
      fc.asyncProperty(objects, constraints, async (inputs, rules) => {
        const theirs = await gatorVerdicts(documents([...inputs, ...rules]));
        expect(ourVerdicts(documents(inputs), documents(rules))).toEqual(theirs);
        refused += theirs.length;
      }),
      RUNS,
    );
    expect(refused).toBeGreaterThan(ENOUGH);
  });
});

function documents(values: readonly object[]): string {
  return values.map((value) => `${JSON.stringify(value)}\n`).join('---\n');
}

function ourVerdicts(manifests: string, rules: string): Verdict[] {
  const { findings, faults } = checkText('m.yaml', manifests, {
    constraints: readConstraints(rules, 'c.yaml'),
    strict: false,
    namespace: '',
    find: { extraKinds: new Map(), helmValues: false, readsAll: true },
  });
  // Images that are no texts make faults beside the verdicts.
  expect(faults.every(({ message }) => message.includes('is no text'))).toBe(true);
  return findings
    .map(({ constraint, object, message }) => `${constraint} ${object.name} ${message}`)
    .toSorted();
}

interface GatorResult {
  readonly msg: string;
  readonly constraint: { readonly metadata: { readonly name: string } };
  readonly violatingObject: { readonly metadata: { readonly name: string } };
}

async function gatorVerdicts(manifests: string): Promise<Verdict[]> {
  const file = join(directory, 'all.yaml');
  await writeFile(file, manifests);
  const args = ['test', '--output=json', `--filename=${file}`, `--filename=${TEMPLATE}`];
  const stdout = await new Promise<string>((resolve, reject) => {
    const child = execFile(binaryPath('gator'), args, (error, out, stderr) => {
      // 1 tells of violations, and of everything else that is wrong.
      if (error !== null && out === '') reject(new Error(stderr, { cause: error }));
      else resolve(out);
    });
    // It reads a pipe too, and to its end.
    child.stdin?.end();
  });
  const results = (JSON.parse(stdout) ?? []) as readonly GatorResult[];
  return results
    .map(
      ({ constraint, violatingObject, msg }) =>
        `${constraint.metadata.name} ${violatingObject.metadata.name} ${msg}`,
    )
    .toSorted();
}
