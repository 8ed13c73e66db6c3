import { readFileSync } from 'node:fs';
import { join } from 'node:path';

import fastJsonPatch, { type Operation } from 'fast-json-patch';
import { stringify } from 'yaml';

import { startLocalWebhook } from '../support/local-webhook.ts';
import { startSampleRegistry } from './sample-registry.ts';

/** Everything on this machine: a registry, the webhook over TLS, and the review of a Deployment. */
async function demo(): Promise<void> {
  const registry = await startSampleRegistry(['shop/web:1.4', 'library/cache:latest']);
  const webhook = await startLocalWebhook([`--plain-http=${registry.host}`]);
  try {
    const before = deploymentOf(registry.host);
    const { response } = await webhook.send('pin', reviewOf(before));
    const patch = decodePatch(response.patch);
    const after = fastJsonPatch.applyPatch(structuredClone(before), patch).newDocument;

    tell('Before, as somebody applies it', templateOf(before));
    tell('After, as the API server stores it', templateOf(after));
    tell('Warnings, as kubectl shows them', response.warnings ?? []);
    tell('What the registry was asked (two tags, one of them used twice)', registry.requests);
    tell('The metrics that moved', moved(await webhook.metrics()));
    check(after, registry.digestOf);
  } finally {
    await webhook.stop();
    registry.close();
  }
}

function deploymentOf(host: string): unknown {
  const text = readFileSync(join(import.meta.dirname, 'deployment.json'), 'utf8');
  return JSON.parse(text.replaceAll('REGISTRY', host));
}

function reviewOf(object: unknown): unknown {
  return {
    apiVersion: 'admission.k8s.io/v1',
    kind: 'AdmissionReview',
    request: {
      uid: '0a1b2c3d-demo',
      kind: { group: 'apps', version: 'v1', kind: 'Deployment' },
      resource: { group: 'apps', version: 'v1', resource: 'deployments' },
      namespace: 'demo',
      name: 'shop',
      operation: 'CREATE',
      object,
      oldObject: null,
      dryRun: false,
    },
  };
}

function decodePatch(patch: string | undefined): Operation[] {
  if (patch === undefined) throw new Error('The webhook answered without a patch');
  return JSON.parse(Buffer.from(patch, 'base64').toString('utf8')) as Operation[];
}

interface Deployment {
  readonly spec: {
    readonly template: { readonly spec: { readonly containers: readonly Container[] } };
  };
}
interface Container {
  readonly name: string;
  readonly image: string;
}

function templateOf(deployment: unknown): unknown {
  return (deployment as Deployment).spec.template;
}

/** Counters and gauges of ours that are not zero, without the buckets of histograms. */
function moved(metrics: string): readonly string[] {
  return metrics
    .split('\n')
    .filter((line) =>
      /^tagpin_(admission_requests|images|registry_requests|cache_requests)/.test(line),
    )
    .filter((line) => !line.endsWith(' 0'));
}

/** The demo fails where the webhook does not do what it is for. */
function check(deployment: unknown, digestOf: (tag: string) => string): void {
  const { containers } = (deployment as Deployment).spec.template.spec;
  const web = containers.find(({ name }) => name === 'web')?.image;
  const wanted = `@${digestOf('shop/web:1.4')}`;
  if (web?.endsWith(wanted) !== true) throw new Error(`"web" has ${web}, which is not ${wanted}`);
}

function tell(title: string, value: unknown): void {
  const text = stringify(value, { lineWidth: 0 }).trimEnd();
  process.stdout.write(`── ${title}\n\n${text}\n\n`);
}

await demo();
