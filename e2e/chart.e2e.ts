import { execFile } from 'node:child_process';
import { readdirSync } from 'node:fs';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';

import { binaryPath } from './support/binaries.ts';
import { readEnvironment } from './support/environment.ts';
import { helm } from './support/helm.ts';
import { Kubectl } from './support/kubectl.ts';
import { isKubernetes, kubernetesVersion } from './support/kubernetes-version.ts';
import {
  addressOf,
  CHART,
  comparable,
  documentsOf,
  type Overlay,
  type Rendered,
  renderAll,
  renderChart,
  renderOverlay,
} from './support/rendered.ts';
import { writeSchemas } from './support/schemas.ts';

const { kubeconfig, webhook } = readEnvironment();
const kubectl = new Kubectl(kubeconfig);

const AUTHORITY = '-----BEGIN CERTIFICATE-----\nnone\n-----END CERTIFICATE-----\n';
/** Kinds of others, which no API server of these tests knows. */
const FOREIGN = new Set(['Certificate', 'Issuer', 'PrometheusRule', 'ServiceMonitor']);

const ROLLOUTS = {
  group: 'argoproj.io',
  version: 'v1alpha1',
  kind: 'Rollout',
  resource: 'rollouts',
  template: 'spec.template',
};
const SERVICES = {
  group: 'serving.knative.dev',
  version: 'v1',
  kind: 'Service',
  resource: 'services',
  template: 'spec.template',
};
const EVERYTHING_WATCHED = {
  serviceMonitor: { enabled: true },
  prometheusRule: { enabled: true },
  dashboard: { enabled: true },
};

/** Certificates of others, so that callers are not known by themselves. */
const OF_OTHERS = { certificates: { source: 'cert-manager' } };
const CALLERS = { tokenSecretName: 'tagpin-callers', token: 'x'.repeat(43) };

interface Same {
  readonly name: string;
  readonly overlay: Overlay;
  readonly values: object;
}

const BUILT_IN = 'overlays/built-in';

const COMPONENTS = readdirSync(join(CHART, '..', 'kustomize', 'components')).toSorted();

/** With cert-manager, whose annotation a component has by itself. */
const SAME: readonly Same[] = [
  { name: 'the defaults', overlay: { resource: BUILT_IN }, values: {} },
  {
    name: 'cert-manager',
    overlay: { resource: 'overlays/cert-manager', components: ['validate-digests'] },
    values: { certificates: { source: 'cert-manager' }, validateDigests: { enabled: true } },
  },
  ...(
    [
      ['audit', { audit: { every: '6h' } }],
      ['events', { events: true }],
      ['explain', { explainInDryRun: true }],
      ['extra-kinds', { extraKinds: [ROLLOUTS, SERVICES] }],
      ['keep-pins', { keepPins: true }],
      ['monitoring', { monitoring: EVERYTHING_WATCHED }],
      ['namespaced-secrets', { pullSecrets: { scope: 'namespaces' } }],
      ['no-sibling-pins', { siblingPins: false }],
      ['priority-class', { priorityClass: { name: 'system-cluster-critical' } }],
      ['shared-cache', { sharedCache: { enabled: true } }],
      ['snapshot', { snapshot: true }],
      ['skip-in-enforce', { skipInEnforce: true }],
      ['validate-digests-built-in', { validateDigests: { enabled: true } }],
    ] as const
  ).map(([name, values]) => ({
    name,
    overlay: { resource: BUILT_IN, components: [name] },
    values,
  })),
];

describe('the chart and kustomize make the same objects', () => {
  it.each(SAME)('with $name', async ({ overlay, values }) => {
    const [ofKustomize, ofHelm] = await Promise.all([renderOverlay(overlay), renderChart(values)]);
    expect(comparable(ofHelm)).toEqual(comparable(ofKustomize));
  });

  it('has a value for each component, of which two are for other overlays', () => {
    const compared = SAME.flatMap(({ overlay }) => overlay.components ?? []);
    const others = ['built-in-certificates', 'validate-digests-files'];
    expect([...compared, ...others].toSorted()).toEqual(COMPONENTS);
  });

  it('with a certificate from files: the same, with the Secret that exists', async () => {
    const [base, chart] = await Promise.all([
      renderOverlay({ resource: 'base' }),
      renderChart({ certificates: { source: 'files', authority: AUTHORITY } }),
    ]);
    const configuration = chart.find(({ kind }) => kind === 'MutatingWebhookConfiguration');
    const bundle = Buffer.from(AUTHORITY).toString('base64');
    const { webhooks } = configuration as Rendered & {
      webhooks: { clientConfig: { caBundle?: string } }[];
    };
    for (const { clientConfig } of webhooks) {
      expect(clientConfig.caBundle).toBe(bundle);
      delete clientConfig.caBundle;
    }
    expect(comparable(chart)).toEqual(comparable(base));
  });

  it('binds pull secrets in the namespaces that are named, as the example of kustomize does', async () => {
    const namespaces = ['one', 'two'];
    const chart = await renderChart({ pullSecrets: { scope: 'namespaces', namespaces } });
    const bindings = chart.filter(({ metadata }) => metadata.name === 'tagpin-pull-secret-reader');
    expect(bindings.map(addressOf).toSorted()).toEqual([
      'ClusterRole /tagpin-pull-secret-reader',
      'RoleBinding one/tagpin-pull-secret-reader',
      'RoleBinding two/tagpin-pull-secret-reader',
    ]);
  });
});

/** By what they are called: versions of helm differ in where kinds go that they do not know. */
function sortedDocuments(text: string): readonly Rendered[] {
  return documentsOf(text).toSorted((a, b) => addressOf(a).localeCompare(addressOf(b)));
}

/** Variants that are looked at as a whole: everything on, and what only some clusters need. */
const VARIANTS: readonly { readonly name: string; readonly values: object }[] = [
  { name: 'the defaults', values: {} },
  {
    name: 'everything on',
    values: {
      keepPins: isKubernetes('1.36'),
      skipInEnforce: true,
      extraKinds: [ROLLOUTS, { ...SERVICES, template: 'spec.workload.template' }],
      validateDigests: { enabled: true, exemptImages: ['registry.example.com/base/*'] },
      audit: { every: '6h' },
      events: true,
      explainInDryRun: true,
      snapshot: true,
      sharedCache: { enabled: true },
      autoscaling: { enabled: true },
      priorityClass: { name: 'system-cluster-critical' },
      topologySpread: { whenUnsatisfiable: 'DoNotSchedule' },
      monitoring: EVERYTHING_WATCHED,
      settings: {
        'allow-registry': ['*.corp.example.com', 'registry.example.com:5000'],
        'cache-ttl': '30s',
        'anonymous-fallback': true,
        'cache-entries': 50_000,
      },
      env: [{ name: 'HTTPS_PROXY', value: 'http://proxy.example.com:3128' }],
    },
  },
  {
    name: 'an overlay network, and a certificate from files',
    values: {
      certificates: { source: 'files', authority: AUTHORITY },
      callers: CALLERS,
      hostNetwork: true,
      webhook: { port: 10_260 },
      operationsPort: 10_261,
      networkPolicy: { apiServers: ['10.0.0.0/28'], ports: [443, 6443, 5000] },
      pullSecrets: { scope: 'namespaces', namespaces: ['default'] },
    },
  },
  {
    name: 'another address, and certificates of callers',
    values: {
      certificates: { source: 'cert-manager' },
      callers: { clientAuthorityConfigMap: 'callers', clientNames: ['kube-apiserver'] },
      webhook: { url: 'https://tagpin.example.com:8443' },
      podDisruptionBudget: { maxUnavailable: '50%' },
    },
  },
];

describe('the chart', () => {
  let home: string;
  let schemas: string;

  beforeAll(async () => {
    home = await mkdtemp(join(tmpdir(), 'tagpin-chart-'));
    const rendered = await Promise.all(VARIANTS.map(({ values }) => renderAll(values)));
    const kinds = new Set(rendered.flat().map(({ kind }) => kind));
    schemas = await writeSchemas(kubectl, join(home, 'schemas'), kinds);
  });
  afterAll(() => rm(home, { recursive: true }));

  async function valuesFile(values: object): Promise<string> {
    const file = join(home, 'values.json');
    await writeFile(file, JSON.stringify(values));
    return file;
  }

  it.each(VARIANTS)('has nothing that helm lint would say: $name', async ({ values }) => {
    const file = await valuesFile(values);
    const said = await helm(['lint', '--strict', '--quiet', CHART, `--values=${file}`], home);
    expect(said).not.toMatch(/WARNING|ERROR/);
  });

  it.each(VARIANTS)('is the same by Helm 3, which lints it, too: $name', async ({ values }) => {
    const where = [`--values=${await valuesFile(values)}`, '--namespace=tagpin-system'];
    const version = `--kube-version=${kubernetesVersion()}`;
    await helm(['lint', '--strict', '--quiet', CHART, version, ...where], home, 'helm3');
    const template = ['template', 'tagpin', CHART, version, ...where];
    const [old, current] = await Promise.all([
      helm(template, home, 'helm3'),
      helm(template, home, 'helm'),
    ]);
    expect(sortedDocuments(old)).toEqual(sortedDocuments(current));
  });

  it('is valid by the strict schemas of the API server, in all variants', async () => {
    const rendered = await Promise.all(VARIANTS.map(({ values }) => renderAll(values)));
    const objects = rendered.flat().filter(({ kind }) => !FOREIGN.has(kind));
    const { code, said } = await kubeconform(schemas, objects);
    expect(said).toContain(`Valid: ${objects.length}, Invalid: 0, Errors: 0, Skipped: 0`);
    expect(code).toBe(0);
  });

  it.each(VARIANTS)('is taken by the API server: $name', async ({ values }) => {
    const objects = (await renderChart(values)).filter(({ kind }) => !FOREIGN.has(kind));
    const list = { apiVersion: 'v1', kind: 'List', items: objects };
    const { stdout } = await kubectl.apply(list, '--dry-run=server');
    expect(stdout.match(/\(server dry run\)$/gm)).toHaveLength(objects.length);
  });

  it.each([
    ['a value that it does not have', { replica: 3 }, 'replica'],
    ['a setting that the server does not have', { settings: { 'cache-tll': '5s' } }, 'cache-tll'],
    ['a port that needs rights', { webhook: { port: 443 } }, 'port'],
    ['files without their authority', { certificates: { source: 'files' } }, 'authority'],
    ['another token beside built-in ones', { callers: { token: 'x'.repeat(43) } }, 'token'],
    [
      'a token that the server does not take',
      { ...OF_OTHERS, callers: { ...CALLERS, token: 'X'.repeat(43) } },
      'token',
    ],
    ['a digest that is none', { image: { digest: 'latest' } }, 'digest'],
    [
      'an image by tag in its repository',
      { image: { repository: 'example.com/tagpin:1' } },
      'repository',
    ],
    ['a duration without its unit', { settings: { 'cache-ttl': '60' } }, 'cache-ttl'],
  ])('refuses %s', async (_what, values, named) => {
    await expect(renderChart(values)).rejects.toThrow(named);
  });

  it('says all at once what the server would not start with, or would not do', async () => {
    const values = {
      ...OF_OTHERS,
      explainInDryRun: true,
      callers: { clientNames: ['kube-apiserver'] },
      webhook: { port: 9090 },
      settings: {
        'image-credential-provider-config': '/providers.yaml',
        'hosts-dir': '/hosts',
        'registries-conf': '/registries.conf',
        'stale-if-error': '597h',
        'certificate-lifetime': '5s',
        'drain-time': '20500ms',
      },
      audit: { every: '9999h' },
      autoscaling: { enabled: true, minReplicas: 7 },
      env: [{ name: 'TAGPIN_CLUSTER', value: 'false' }],
      events: true,
    };
    const said = await renderChart(values).then(JSON.stringify, String);
    expect(said.match(/^- .*/gm)).toEqual([
      '- explainInDryRun needs callers that are known: certificates.source built-in, or callers.tokenSecretName with callers.token, or callers.clientAuthorityConfigMap',
      '- callers.clientNames says nothing without callers.clientAuthorityConfigMap',
      '- webhook.port and operationsPort are both 9090',
      '- settings.image-credential-provider-config and settings.image-credential-provider-bin-dir need each other',
      '- tagpin has credentials of its own, and nobody may use them: settings.own-credentials-namespaces or settings.own-credentials-images says whom they are for, or ["*"]',
      '- settings.hosts-dir and settings.registries-conf exclude each other: a node has one of them',
      '- audit.every is at most 596h, and not 9999h',
      '- settings.stale-if-error is at most 596h, and not 597h',
      '- settings.certificate-lifetime is at least 10s, and not 5s',
      '- terminationGracePeriodSeconds (50) has no room for settings.drain-time (20500ms) and the 30 s of the longest call',
      '- TAGPIN_CLUSTER of env: events needs the cluster',
      '- TAGPIN_CLUSTER of env: explainInDryRun needs the cluster',
      '- autoscaling.minReplicas (7) is more than autoscaling.maxReplicas (6)',
    ]);
  });

  it.each([
    { 'authority-lifetime': '1h30m' },
    { 'certificate-lifetime': '9000h' },
    { 'authority-lifetime': '2h', 'certificate-lifetime': '2h0m1s' },
  ])('refuses built-in certificates that outlive their authority: %j', async (settings) => {
    await expect(renderChart({ settings })).rejects.toThrow(
      /settings\.authority-lifetime \(\w+\) is shorter than settings\.certificate-lifetime \(\w+\)/,
    );
  });

  it.each([
    { ...OF_OTHERS, explainInDryRun: true, callers: CALLERS },
    { ...OF_OTHERS, explainInDryRun: true, callers: { clientAuthorityConfigMap: 'callers' } },
    { settings: { 'docker-config': '/config.json', 'own-credentials-namespaces': ['*'] } },
    { settings: { 'cloud-credentials': [] } },
    { settings: { 'cache-ttl': '596h', 'drain-time': '20s', 'authority-lifetime': '168h' } },
    { ...OF_OTHERS, settings: { 'authority-lifetime': '1h' } },
  ])('takes what the server takes: %j', async (values) => {
    expect(await renderChart(values)).not.toEqual([]);
  });

  it('leaves the authority of the shared cache away where it speaks no TLS', async () => {
    const sharedCache = { enabled: true };
    const [secure, open] = await Promise.all([
      renderChart({ sharedCache }),
      renderChart({ sharedCache, settings: { 'shared-cache-without-tls': true } }),
    ]);
    expect(JSON.stringify(secure)).toMatch(/TAGPIN_SHARED_CACHE_CA.*"ca\.crt"/);
    expect(JSON.stringify(open)).not.toMatch(/TAGPIN_SHARED_CACHE_CA|"ca\.crt"/);
  });

  it.each([
    ['https://[2001:db8::1]:8443', '2001:db8::1', { ipAddresses: ['2001:db8::1'] }],
    ['https://10.1.2.3', '10.1.2.3', { ipAddresses: ['10.1.2.3'] }],
    ['https://tagpin.example.com:8443', 'tagpin.example.com', { dnsNames: ['tagpin.example.com'] }],
  ])('has certificates for the host of %s', async (url, name, names) => {
    const builtIn = await renderChart({ webhook: { url } });
    expect(JSON.stringify(builtIn)).toContain(`"--certificate-names=${name}"`);
    const ofCertManager = await renderChart({ ...OF_OTHERS, webhook: { url } });
    const serving = ofCertManager.find(({ metadata }) => metadata.name === 'tagpin-serving');
    expect(serving).toMatchObject({ spec: names });
    const test = (await renderAll({ webhook: { url } })).find(({ kind }) => kind === 'Pod');
    const port = new URL(url).port || '443';
    expect(test).toMatchObject({
      spec: { containers: [{ args: [expect.any(String), name, port] }] },
    });
  });

  it('notes which Secrets are to be made, which ports are closed, and how all of it is switched off', async () => {
    const file = await valuesFile({
      snapshot: true,
      keepPins: true,
      settings: {
        'allow-registry': ['*.corp.example.com', 'registry.example.com:5000'],
        'plain-http': ['old.example.com'],
      },
    });
    const where = [`--values=${file}`, '--namespace=tagpin-system', '--dry-run=client'];
    const said = await helm(['install', 'tagpin', CHART, ...where], home);
    const notes = said.slice(said.indexOf('NOTES:'));
    expect(notes).toContain('kubectl create secret generic tagpin-installation-key');
    expect(notes.match(/^ .* needs port \d+$/gm)).toEqual([
      '  registry.example.com:5000 needs port 5000',
      '  old.example.com needs port 80',
    ]);
    expect(notes).toContain('kubectl delete mutatingadmissionpolicybinding tagpin-keep-pins');
    expect(notes).not.toContain('validatingwebhookconfiguration');
  });
});

/** What the Pod of the test runs, with another address to ask. */
async function helmTest(host: string, port: number): Promise<{ code: number; said: string }> {
  const pod = (await renderAll({})).find(({ kind }) => kind === 'Pod') as Rendered & {
    spec: { containers: { command: string[]; args: string[] }[] };
  };
  const [container] = pod.spec.containers;
  const [, ...flags] = container?.command ?? [];
  const [script = ''] = container?.args ?? [];
  return run(process.execPath, [...flags, script, host, String(port)]);
}

describe('helm test', () => {
  it('says so where nobody answers', async () => {
    const { code, said } = await helmTest('127.0.0.1', webhook.port);
    expect(said).toContain('ECONNREFUSED');
    expect(code).toBe(1);
  });
});

function kubeconform(
  schemas: string,
  items: readonly Rendered[],
): Promise<{ code: number; said: string }> {
  const args = ['-strict', '-summary', '-schema-location', schemas];
  return run(
    binaryPath('kubeconform'),
    args,
    JSON.stringify({ apiVersion: 'v1', kind: 'List', items }),
  );
}

function run(
  command: string,
  args: readonly string[],
  input?: string,
): Promise<{ code: number; said: string }> {
  return new Promise((resolve) => {
    const child = execFile(command, args, (error, stdout, stderr) =>
      resolve({ code: Number(error?.code ?? 0), said: stdout + stderr }),
    );
    child.stdin?.end(input);
  });
}
