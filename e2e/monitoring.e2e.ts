import { execFile } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { copyFile, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { parse, stringify } from 'yaml';

import { unpackedPackage } from './support/debian.ts';
import { readEnvironment } from './support/environment.ts';
import { eventually } from './support/eventually.ts';
import { Kubectl } from './support/kubectl.ts';
import { isKubernetes } from './support/kubernetes-version.ts';
import { installComponent } from './support/manifests.ts';
import { labelsOf, metricNames } from './support/metrics.ts';
import { addressOf, type Rendered, renderOverlay } from './support/rendered.ts';
import { TestImage } from './support/test-image.ts';
import { createNamespace } from './support/test-namespace.ts';
import { Webhook } from './support/webhook.ts';
import { workload } from './support/workload.ts';

const run = promisify(execFile);
const environment = readEnvironment();
const admin = new Kubectl(environment.kubeconfig);
const TESTS = join(import.meta.dirname, 'monitoring', 'alerts.yaml');
const PAGE = join(import.meta.dirname, '..', 'docs', 'metrics.md');

interface Rule {
  readonly alert: string;
  readonly expr: string;
}

interface AlertTests {
  readonly tests: readonly {
    readonly alert_rule_test: readonly {
      readonly alertname: string;
      readonly exp_alerts: readonly object[];
    }[];
  }[];
}

let home: string;
let promtool: string;
let rules: { readonly groups: readonly { readonly rules: readonly Rule[] }[] };
let dashboard: {
  readonly panels: readonly { readonly targets?: readonly { readonly expr: string }[] }[];
};

beforeAll(async () => {
  home = await mkdtemp(join(tmpdir(), 'tagpin-monitoring-'));
  promtool = join(await unpackedPackage('prometheus'), 'usr', 'bin', 'promtool');
  const overlay = { resource: 'overlays/built-in', components: ['monitoring'] };
  const objects = await renderOverlay(overlay);
  const named = (name: string): Rendered | undefined =>
    objects.find((one) => addressOf(one) === name);
  const rule = named('PrometheusRule tagpin-system/tagpin');
  rules = (rule as Rendered & { spec: typeof rules }).spec;
  const map = named('ConfigMap tagpin-system/tagpin-dashboard');
  const { data } = map as Rendered & { data: Record<string, string> };
  dashboard = JSON.parse(data['tagpin.json'] ?? '') as typeof dashboard;
});
afterAll(() => rm(home, { recursive: true }));

function alerts(): readonly Rule[] {
  return rules.groups.flatMap((group) => group.rules);
}

/** Every query that is shipped or written down: of alerts, of the dashboard and of the page. */
function queries(): readonly string[] {
  const ofDashboard = dashboard.panels
    .flatMap(({ targets = [] }) => targets.map(({ expr }) => expr))
    .map((expr) => expr.replaceAll('$__rate_interval', '5m'));
  const rows = readFileSync(PAGE, 'utf8')
    .split('\n')
    .filter((line) => line.includes('? '));
  const ofPage = rows.flatMap((row) =>
    [...row.matchAll(/`((?:[a-z]|\().*?)`/g)].map(([, query = '']) => query.replaceAll('\\|', '|')),
  );
  const written = ofPage.filter((query) => /(tagpin|apiserver)_/.test(query));
  return [...alerts().map(({ expr }) => expr), ...ofDashboard, ...written];
}

/** What promtool says of groups of rules; it fails where one is none. */
async function check(name: string, groups: readonly object[]): Promise<string> {
  const file = join(home, name);
  await writeFile(file, stringify({ groups }));
  return (await run(promtool, ['check', 'rules', file])).stdout;
}

describe('the alerts, by promtool', () => {
  it('are rules, and every query of the dashboard and of the page is one', async () => {
    expect(await check('rules.yaml', rules.groups)).toContain(`${alerts().length} rules found`);
    const records = queries().map((expr, index) => ({ record: `query:${index}`, expr }));
    expect(records.length).toBeGreaterThan(50);
    const said = await check('queries.yaml', [{ name: 'queries', rules: records }]);
    expect(said).toContain(`${records.length} rules found`);
  });

  it('go off when they should, and do not when nothing is wrong', async () => {
    await writeFile(join(home, 'rules.yaml'), stringify(rules));
    await copyFile(TESTS, join(home, 'alerts.yaml'));
    await expect(
      run(promtool, ['test', 'rules', join(home, 'alerts.yaml')]),
    ).resolves.toMatchObject({
      stdout: expect.stringContaining('SUCCESS'),
    });
  });

  it('each have a test of both', () => {
    const { tests } = parse(readFileSync(TESTS, 'utf8')) as AlertTests;
    const cases = tests.flatMap((test) => test.alert_rule_test);
    const named = (isOff: boolean): string[] =>
      cases
        .filter(({ exp_alerts }) => exp_alerts.length > 0 === isOff)
        .map(({ alertname }) => alertname);
    const names = new Set(alerts().map(({ alert }) => alert));
    expect(new Set(named(true))).toEqual(names);
    expect(new Set(named(false))).toEqual(names);
  });
});

/** What an API server before 1.36, where such policies are not `v1`, has never counted. */
function isOfLater(metric: string): boolean {
  return metric.startsWith('apiserver_mutating_admission_policy') && !isKubernetes('1.36');
}

describe('the queries', () => {
  const webhook = new Webhook(environment);
  let exported: string;

  beforeAll(async () => {
    await webhook.start();
    const image = await TestImage.ofOnePlatform(environment.registry);
    const kubectl = await createNamespace(environment.kubeconfig, { mode: 'pin' });
    for (const name of [image.tagged, `${image.name}:missing`]) {
      await kubectl.apply(workload('Pod', { image: name }), '--dry-run=server');
    }
    const ours = await webhook.metricsText();
    await webhook.stop();
    await makeTheServerCount(kubectl, image);
    exported = `${ours}\n${(await admin.run(['get', '--raw', '/metrics'])).stdout}`;
  });
  afterAll(() => webhook.stop());

  it('ask for metrics that tagpin and the API server have', () => {
    const names = metricNames(exported);
    const asked = queries().flatMap((query) => [
      ...query.matchAll(/\b(?:tagpin|apiserver|nodejs|process)_\w+/g),
    ]);
    expect(asked.length).toBeGreaterThan(80);
    const missing = asked.map(([name]) => name).filter((name) => !names.has(name));
    expect(missing.filter((name) => !isOfLater(name))).toEqual([]);
  });

  it('select by labels that these have', () => {
    const wrong = queries().flatMap((query) =>
      [...query.matchAll(/(\w+)\{([^}]*)\}/g)].flatMap(([, metric = '', matchers = '']) => {
        const labels = labelsOf(exported, metric);
        const used = [...matchers.matchAll(/(\w+)(?:=|!)/g)].map(([, label = '']) => label);
        return used
          .filter((label) => label !== 'job' && labels.size > 0 && !labels.has(label))
          .map((label) => `${metric}{${label}}`);
      }),
    );
    expect(wrong).toEqual([]);
  });
});

/** The API server has a metric only once there was something to count: calls that fail, and policies. */
async function makeTheServerCount(kubectl: Kubectl, image: TestImage): Promise<void> {
  const broken = brokenCondition(kubectl.namespace ?? '');
  await admin.apply(broken);
  const removeComponent = isKubernetes('1.36')
    ? await installComponent(admin, 'keep-pins')
    : async (): Promise<void> => {};
  try {
    const digest = await image.pinned();
    await kubectl.apply(workload('Deployment', { image: digest }));
    await eventually(async () => {
      await kubectl.apply(workload('Deployment', { image: image.tagged }), '--dry-run=server');
      const { stdout } = await admin.run(['get', '--raw', '/metrics']);
      for (const metric of [
        'apiserver_admission_webhook_fail_open_count',
        'apiserver_admission_match_condition_evaluation_errors_total',
        'apiserver_mutating_admission_policy_check_total',
      ].filter((name) => !isOfLater(name))) {
        expect(stdout).toContain(metric);
      }
    });
  } finally {
    await removeComponent();
    await admin.run(['delete', '--filename=-'], { input: broken });
  }
}

/** Of a webhook that nobody is, asked of one namespace, with a condition that cannot be evaluated. */
function brokenCondition(namespace: string): object {
  return {
    apiVersion: 'admissionregistration.k8s.io/v1',
    kind: 'MutatingWebhookConfiguration',
    metadata: { name: 'e2e-broken' },
    webhooks: [
      {
        name: 'broken.e2e.example.com',
        clientConfig: { url: 'https://127.0.0.1:1/' },
        failurePolicy: 'Ignore',
        sideEffects: 'None',
        admissionReviewVersions: ['v1'],
        timeoutSeconds: 1,
        namespaceSelector: { matchLabels: { 'kubernetes.io/metadata.name': namespace } },
        rules: [
          {
            apiGroups: ['apps'],
            apiVersions: ['v1'],
            operations: ['*'],
            resources: ['deployments'],
          },
        ],
        matchConditions: [{ name: 'broken', expression: 'object.spec.nothing == 1' }],
      },
    ],
  };
}
