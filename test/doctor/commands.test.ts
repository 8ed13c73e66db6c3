import { execFileSync } from 'node:child_process';
import { readdirSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';

import type { Facts } from '../../src/doctor/facts.ts';
import { judge } from '../../src/doctor/judge.ts';
import { reportOf } from '../../src/doctor/report.ts';
import type { JsonObject } from '../../src/json.ts';
import { createAuthority } from '../support/certificate.ts';
import {
  configuration,
  deployment,
  FORBIDDEN,
  healthyFacts,
  namespace,
  pod,
  read,
  rights,
} from '../support/doctor-facts.ts';
import { Files } from '../support/files.ts';

/** What a shell would run in many ways: each of them makes a file. */
const EVIL = '\'";$(:>hit)`:>hit`\n:>hit;&:>hit #\u001B[2J\u2028${HOME}|:>hit';
/** Those that somebody in the cluster chooses. */
const NAMES = new Set(['tagpin-system', 'shop', 'bank', 'old', 'pins', 'account', 'tagpin-a']);

/** Facts in which each of these names goes on with what a shell would run. */
function poisoned<T>(value: T): T;
function poisoned(value: unknown): unknown {
  if (typeof value === 'string') return NAMES.has(value) ? value + EVIL : value;
  if (Array.isArray(value)) return value.map((one: unknown) => poisoned(one));
  if (value instanceof Map) return new Map(poisoned([...value]));
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([key, one]) => [key, poisoned(one)]));
}

let healthy: Facts;
let entries: JsonObject;
let files: Files;

beforeAll(async () => {
  const authority = await createAuthority();
  healthy = await healthyFacts(authority);
  entries = configuration(await createAuthority());
  files = new Files();
});
afterAll(async () => {
  await files[Symbol.asyncDispose]();
});

const CALLED: Facts['trials'][number] = {
  namespace: 'shop',
  mode: 'pin',
  seen: { by: 'tagpin' },
  sample: { image: 'shop', registry: 'a', pinned: false, reason: 'forbidden_secret' },
};

/** Installations in which as much as possible is wrong. */
function broken(): readonly Partial<Facts>[] {
  const webhooks = (entries['webhooks'] as readonly JsonObject[]).map((entry) => ({
    ...entry,
    namespaceSelector: {
      matchExpressions: [
        { key: 'kubernetes.io/metadata.name', operator: 'NotIn', values: ['shop'] },
      ],
    },
  }));
  const helm = { 'meta.helm.sh/release-name': 'pins' };
  const served = deployment([], 2, 1);
  const template = { spec: { serviceAccountName: 'account', containers: [{}] } };
  const labels = { [`tagpin.dev/${EVIL}`]: EVIL, 'tagpin.dev/mode': EVIL };
  return [
    {
      chosen: ['bank'],
      configurations: read([
        { metadata: { name: 'tagpin' }, webhooks },
        { ...entries, metadata: { name: 'old' } },
      ]),
      deployment: read({ ...served, metadata: { annotations: helm } }),
      namespaces: read([namespace('bank', labels), namespace('shop')]),
      endpointSlices: read([]),
      ownNamespace: read(namespace('tagpin-system')),
      budgets: read([]),
      replicas: [{ pod: 'tagpin-a', aheadMs: undefined }],
      trials: [CALLED],
    },
    {
      configurations: read([]),
      deployment: read({ spec: { replicas: 2, template }, metadata: { annotations: helm } }),
      rights: rights(
        deployment(),
        ({ check, namespace: where }) => check === 'rights-excess' || where === 'shop',
      ),
      namespaces: read([namespace('shop', { 'tagpin.dev/mode': 'pin' })]),
      trials: [{ ...CALLED, sample: { image: 'shop', registry: 'a', pinned: false } }],
    },
    {
      pods: read([pod('tagpin-a', 'a'), pod('tagpin-a', 'b')]),
      trials: [{ ...CALLED, seen: { by: 'nobody' } }],
      secret: FORBIDDEN,
      failedOpen: read({ inAll: 1, meanwhile: 1 }),
      budgets: { ...FORBIDDEN, right: `list budgets --namespace ${EVIL}` },
    },
    { deployment: read(deployment(['--certificates=built-in'])) },
  ];
}

/** Runs each command in a shell that has none of the programs. */
function paste(commands: readonly string[]): void {
  const programs = ['kubectl', 'helm', 'grep'].map((name) => `${name}() { :; }`);
  for (const command of commands) {
    const script = [...programs, command].join('\n');
    execFileSync('sh', ['-c', script], { cwd: files.directory, env: {} });
  }
}

describe('the command of a finding', () => {
  it('runs nothing that a name of the cluster says, as text or as JSON', () => {
    const findings = broken().flatMap((facts) => judge(poisoned({ ...healthy, ...facts })));
    const told = findings.filter(({ command }) => command !== undefined);
    expect([...new Set(told.map(({ id }) => id))].toSorted()).toEqual([
      'ca-bundle',
      'called',
      'disruption-budget',
      'namespaces',
      'own-namespace',
      'pinned',
      'replica-clock',
      'replicas',
      'rights-excess',
      'rights-pull-secrets',
      'rights-siblings',
      'webhook-configuration',
      'webhook-entries',
      'webhook-target',
    ]);
    paste(told.map(({ command = '' }) => command));
    const lines = reportOf(told, { format: 'text', colours: false }).split('\n');
    paste(lines.flatMap((line) => (/^ +\$ /.test(line) ? [line.replace(/^ +\$ /, '')] : [])));
    expect(readdirSync(files.directory)).toEqual([]);
  });

  it('would run it, were a name written as it is', () => {
    paste(['kubectl get namespace $(:>hit)']);
    expect(readdirSync(files.directory)).toEqual(['hit']);
  });
});
