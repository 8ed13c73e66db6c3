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
  readonly environment?: string;
  readonly needs?: string | readonly string[];
  readonly container?: unknown;
  readonly services?: unknown;
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

/** Actions that are images, or that bring a builder or an emulator as one. */
const PULLING_ACTIONS = /^docker:|^docker\/(?:setup|build-push|bake)[^@]*|^[^@]*buildx[^@]*/g;
/** What fetches an image by a name of its own, such as moby/buildkit:buildx-stable-1 and docker/buildkit-syft-scanner:stable-1. */
const PULLING_COMMANDS =
  /docker (?:container )?(?:run|pull|create)\b|docker image pull|buildx (?:create|bake)\b|--builder\b|--sbom\b|type=sbom/g;

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

  it('pulls no image by a tag, for a job, an action, a builder or a scanner', () => {
    const whole = jobsOf(workflow).filter(([, { container, services }]) => container ?? services);
    expect(whole).toEqual([]);
    const steps = stepsOf(workflow);
    const pulling = steps.flatMap(({ uses = '', run = '' }) => [
      ...(uses.match(PULLING_ACTIONS) ?? []),
      ...(run.match(PULLING_COMMANDS) ?? []),
    ]);
    expect(pulling).toEqual([]);
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

describe('the patterns of what pulls an image', () => {
  it.each([
    ['docker buildx create --use', 'buildx create'],
    ['docker buildx build . --sbom=true', '--sbom'],
    ['docker run --privileged tonistiigi/binfmt', 'docker run'],
    ['npm run --silent sbom', undefined],
    ['docker buildx build . --push', undefined],
  ])('%s: %s', (command, found) => {
    expect(command.match(PULLING_COMMANDS)?.[0]).toBe(found);
  });

  it.each(['docker://alpine:3', 'docker/setup-buildx-action@v3', 'docker/setup-qemu-action@v3'])(
    'knows the action %s',
    (action) => expect(action.match(PULLING_ACTIONS)).not.toBeNull(),
  );
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

  it('write to nothing without the environment of releases, and name it for nothing else', () => {
    for (const { workflow } of FILES) {
      for (const [, { permissions = {}, environment }] of jobsOf(workflow)) {
        const isWriting = Object.values(permissions).some((right) => right !== 'read');
        expect(environment).toBe(isWriting ? 'release' : undefined);
      }
    }
  });

  it('publish nothing before somebody looked whether the environment protects', () => {
    const { jobs = {} } = FILES.find(({ name }) => name === 'release.yml')?.workflow ?? {};
    const needs = new Map(
      Object.entries(jobs).map(([name, job]) => [name, [job.needs ?? []].flat()]),
    );
    const before = (name: string): string[] =>
      (needs.get(name) ?? []).flatMap((other) => [other, ...before(other)]);
    const publishing = Object.entries(jobs).filter(([, { environment }]) => environment);
    expect(publishing.map(([name]) => name)).toEqual(['image', 'npm', 'release']);
    for (const [name] of publishing) {
      expect(before(name)).toEqual(expect.arrayContaining(['test', 'protection']));
    }
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
