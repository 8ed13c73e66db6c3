import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

import { describe, expect, it } from '@jest/globals';
import { parse } from 'yaml';

interface Step {
  readonly uses?: string;
  readonly run?: string;
  readonly with?: Readonly<Record<string, unknown>>;
}

interface Job {
  readonly 'runs-on'?: string;
  readonly 'timeout-minutes'?: number;
  readonly permissions?: Readonly<Record<string, string>>;
  readonly uses?: string;
  readonly steps?: readonly Step[];
}

interface Workflow {
  readonly on: Readonly<Record<string, unknown>>;
  readonly permissions?: object;
  readonly jobs: Readonly<Record<string, Job>>;
}

const ROOT = join(import.meta.dirname, '..');
const FOLDER = join(ROOT, '.github', 'workflows');

const FILES = readdirSync(FOLDER).map((name) => {
  const text = readFileSync(join(FOLDER, name), 'utf8');
  return { name, text, workflow: parse(text) as Workflow };
});

const { scripts } = JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8')) as {
  readonly scripts: Readonly<Record<string, string>>;
};

function jobsOf({ jobs }: Workflow): [name: string, job: Job][] {
  return Object.entries(jobs);
}

function stepsOf(workflow: Workflow): Step[] {
  return jobsOf(workflow).flatMap(([, { steps = [] }]) => steps);
}

describe.each(FILES)('the workflow $name', ({ text, workflow }) => {
  it('takes each action by its commit, and says which version that is', () => {
    const others = text
      .split('\n')
      .filter((line) => /^\s*(?:- )?uses:/.test(line))
      .filter((line) => !/uses: \.\/\.github\//.test(line))
      .filter((line) => !/uses: [\w.-]+(?:\/[\w.-]+)+@[0-9a-f]{40} # v\d+\.\d+\.\d+$/.test(line));
    expect(others).toEqual([]);
  });

  it('gives no right to all jobs, and to each job those that it names', () => {
    expect(workflow.permissions).toEqual({});
    const without = jobsOf(workflow).filter(([, { permissions }]) => permissions === undefined);
    expect(without).toEqual([]);
  });

  it('runs nothing of a stranger with rights, and puts nothing that is given into a script', () => {
    expect(Object.keys(workflow.on)).not.toContain('pull_request_target');
    expect(Object.keys(workflow.on)).not.toContain('workflow_run');
    const scriptsOfSteps = stepsOf(workflow).flatMap(({ run }) => run ?? []);
    // Variables of the shell are quoted by it; an expression would be part of the script.
    expect(scriptsOfSteps.filter((script) => script.includes('${{'))).toEqual([]);
  });

  it('ends each job some time, on a named system, and leaves no token in a checkout', () => {
    for (const [, job] of jobsOf(workflow).filter(([, { uses }]) => uses === undefined)) {
      expect(job['timeout-minutes']).toBeGreaterThan(0);
      expect(job['runs-on']).toMatch(/^ubuntu-\d\d\.\d\d$/);
    }
    const checkouts = stepsOf(workflow).filter(({ uses = '' }) =>
      uses.startsWith('actions/checkout@'),
    );
    for (const step of checkouts) expect(step.with?.['persist-credentials']).toBe(false);
  });

  it('runs scripts that package.json has', () => {
    const named = [...text.matchAll(/npm run (?:--silent )?([\w:]+)/g)].map(
      ([, name = '']) => name,
    );
    expect(named.filter((name) => !(name in scripts))).toEqual([]);
  });

  it('names files of the repository that are there', () => {
    const named = text.match(/(?:\.ci|e2e|manifests|src|test)\/[\w./-]*\w/g) ?? [];
    expect(named.filter((path) => !existsSync(join(ROOT, path)))).toEqual([]);
  });
});

describe('all workflows', () => {
  it('take one version of each action', () => {
    const used = FILES.flatMap(({ workflow }) => stepsOf(workflow)).flatMap(
      ({ uses }) => uses ?? [],
    );
    const names = new Set(used.map((action) => action.replace(/@.*/, '')));
    expect(new Set(used).size).toBe(names.size);
    expect(names.size).toBeGreaterThan(2);
  });

  it('write to nothing, but for a release', () => {
    const writing = FILES.flatMap(({ name, workflow }) =>
      jobsOf(workflow).flatMap(([job, { permissions = {} }]) =>
        Object.entries(permissions)
          .filter(([, right]) => right !== 'read')
          .map(([what]) => `${name} ${job}: ${what}`),
      ),
    );
    expect(writing.toSorted()).toEqual([
      'release.yml image: id-token',
      'release.yml image: packages',
      'release.yml npm: id-token',
      'release.yml release: contents',
    ]);
  });
});
