import { randomBytes } from 'node:crypto';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';

import { type RunningDistribution, startDistribution } from './support/distribution.ts';
import { readEnvironment } from './support/environment.ts';
import { eventually } from './support/eventually.ts';
import type { Kubectl } from './support/kubectl.ts';
import { pinsOf, pinsTo, untouched } from './support/pins.ts';
import { createPullSecret } from './support/pull-secret.ts';
import { ACCOUNT, writeHtpasswd } from './support/registry.ts';
import { TestImage } from './support/test-image.ts';
import { createNamespace } from './support/test-namespace.ts';
import { Webhook } from './support/webhook.ts';
import { podTemplateOf, type StoredObject, workload } from './support/workload.ts';

const environment = readEnvironment();
const { kubeconfig } = environment;
const POD_SPEC = { imagePullSecrets: [{ name: 'right' }] };
const STALE = 'its registry does not answer';

let directory: string;
let distribution: RunningDistribution;
let webhook: Webhook;
let kubectl: Kubectl;
let image: TestImage;
let expected: Awaited<ReturnType<typeof pinsTo>>;

const snapshot = (): string => join(directory, 'digests');

async function createPod(
  name: string,
  { in: where = kubectl, podSpec = POD_SPEC }: { in?: Kubectl; podSpec?: object } = {},
): Promise<{ pins: ReturnType<typeof pinsOf>; stderr: string }> {
  const { stderr } = await where.apply(workload('Pod', { name, image: image.tagged, podSpec }));
  return { pins: pinsOf(podTemplateOf(await where.get<StoredObject>('pod', name))), stderr };
}

async function namespaceWithSecret(password: string): Promise<Kubectl> {
  const made = await createNamespace(kubeconfig, { mode: 'pin' });
  const { host } = distribution;
  await createPullSecret(made, 'right', { host, username: ACCOUNT.username, password });
  return made;
}

function startWebhook(...settings: readonly string[]): Promise<void> {
  webhook = new Webhook(environment, [
    `--plain-http=${distribution.host}`,
    `--installation-key-file=${join(directory, 'key')}`,
    `--snapshot=${snapshot()}`,
    ...settings,
  ]);
  return webhook.start();
}

beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'tagpin-snapshot-'));
  await writeFile(join(directory, 'key'), randomBytes(32), { mode: 0o600 });
  const htpasswd = await writeHtpasswd(directory, 'registry-snapshot');
  const config = { storage: { inmemory: {} }, auth: { htpasswd } };
  distribution = await startDistribution({ name: 'registry-snapshot', directory, config });
  const { host, logFile } = distribution;
  image = await TestImage.ofOnePlatform({ host, logFile, account: ACCOUNT });
  expected = await pinsTo({ web: image });
  kubectl = await namespaceWithSecret(ACCOUNT.password);
});
afterAll(async () => {
  await webhook.stop();
  await distribution.stop();
  await rm(directory, { recursive: true });
});

describe('a digest that was looked up before a restart', () => {
  it('is in the snapshot of a process that is killed', async () => {
    await startWebhook('--snapshot-every=100ms');
    expect((await createPod('before')).pins).toEqual(expected);
    await eventually(async () => {
      expect(await webhook.metric('tagpin_snapshot_writes_total', { result: 'written' })).toBe(1);
    });
    await webhook.kill();
    expect((await readFile(snapshot())).includes(image.repository)).toBe(false);
  });

  it('is served while its registry is away, with a warning, to who has the secret', async () => {
    await distribution.stop();
    await startWebhook();
    const { pins, stderr } = await createPod('after');
    expect(pins).toEqual(expected);
    expect(stderr).toContain(STALE);
    expect(await webhook.metric('tagpin_cache_requests_total', { result: 'stale' })).toBe(1);
  });

  it('is served to nobody else', async () => {
    const other = await namespaceWithSecret('another');
    expect((await createPod('wrong', { in: other })).pins).toEqual(untouched(image));
    expect((await createPod('none', { in: other, podSpec: {} })).pins).toEqual(untouched(image));
  });

  it('is served after another restart, in the order of signals, too', async () => {
    await webhook.stop();
    await startWebhook();
    const { pins, stderr } = await createPod('again');
    expect(pins).toEqual(expected);
    expect(stderr).toContain(STALE);
  });

  it('is served by nobody who has another key', async () => {
    await webhook.stop();
    await writeFile(join(directory, 'other'), randomBytes(32), { mode: 0o600 });
    await startWebhook(`--installation-key-file=${join(directory, 'other')}`);
    expect((await createPod('other-key')).pins).toEqual(untouched(image));
  });
});
