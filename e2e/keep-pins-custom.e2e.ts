import { readFileSync } from 'node:fs';
import { join } from 'node:path';

import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { parse } from 'yaml';

import { defineKind, ROLLOUT, removeKind } from './support/custom-resource.ts';
import { readEnvironment } from './support/environment.ts';
import { eventually } from './support/eventually.ts';
import { Kubectl } from './support/kubectl.ts';
import { installComponent } from './support/manifests.ts';
import { createNamespace } from './support/test-namespace.ts';
import { podTemplateOf } from './support/workload.ts';

const { kubeconfig } = readEnvironment();
const admin = new Kubectl(kubeconfig);

const PAGE = join(import.meta.dirname, '..', 'docs', 'install.md');
const DIGEST = `sha256:${'1f'.repeat(32)}`;
const TAGGED = 'registry.example.com/app:1';
const PINNED = `registry.example.com/app@${DIGEST}`;
const RECORD = { 'tagpin.dev/originals': `{"web":"${TAGGED} ${DIGEST}"}` };

/** The JSON Patch of the documentation that names such objects in the policy. */
function documentedPatch(): string {
  const block = readFileSync(PAGE, 'utf8')
    .split('```')
    .find((text) => text.includes('name: tagpin-keep-pins }'));
  const { patches } = parse((block ?? '').replace(/^yaml/, '')) as { patches: { patch: string }[] };
  return JSON.stringify(parse(patches[0]?.patch ?? ''));
}

interface Metadata {
  readonly annotations?: Readonly<Record<string, string>>;
  readonly labels?: Readonly<Record<string, string>>;
}

/** A Rollout, in which nothing is filled in: what is not written is not there. */
function rollout(image: string, metadata?: Metadata): object {
  const { group, version, kind } = ROLLOUT;
  const template = {
    ...(metadata && { metadata }),
    spec: { containers: [{ name: 'web', image }] },
  };
  return {
    apiVersion: `${group}/${version}`,
    kind,
    metadata: { name: 'web' },
    spec: { replicas: 1, template },
  };
}

describe('a custom resource that the policy names, while the webhook is down', () => {
  const cleanUp = new AsyncDisposableStack();

  beforeAll(async () => {
    cleanUp.defer(() => removeKind(admin, ROLLOUT));
    await defineKind(admin, ROLLOUT);
    cleanUp.defer(await installComponent(admin, 'keep-pins'));
    const policy = ['mutatingadmissionpolicy', 'tagpin-keep-pins'];
    await admin.run(['patch', ...policy, '--type=json', `--patch=${documentedPatch()}`]);
  });

  afterAll(() => cleanUp.disposeAsync());

  it.each<[string, Metadata | undefined]>([
    ['annotations', { annotations: { 'example.com/a': 'b' } }],
    ['labels alone', { labels: { app: 'web' } }],
    ['no metadata', undefined],
  ])('gets pin and record back by a template with %s', async (_, metadata) => {
    const kubectl = await createNamespace(kubeconfig, { mode: 'pin' });
    const annotations = { ...metadata?.annotations, ...RECORD };
    const pinned = rollout(PINNED, { ...metadata, annotations });
    await kubectl.run(['create', '--filename=-'], { input: pinned });

    // The policy takes a moment to be changed, and a tag that is stored once has no way back. For some
    // seconds after a kind was defined, the API server answers such an update with 503.
    const options = ['--filename=-', '--dry-run=server', '--output=json'];
    await eventually(async () => {
      const input = rollout(TAGGED, metadata);
      const { stdout } = await kubectl.run(['replace', ...options], { input });
      expect(podTemplateOf(JSON.parse(stdout) as object)).toEqual({
        metadata: { ...metadata, annotations },
        spec: { containers: [{ name: 'web', image: PINNED }] },
      });
    });
  });
});
