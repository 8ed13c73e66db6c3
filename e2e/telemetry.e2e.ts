import { once } from 'node:events';
import { createReadStream } from 'node:fs';
import { readFile } from 'node:fs/promises';
import type { IncomingMessage } from 'node:http';
import { request } from 'node:https';
import { join } from 'node:path';
import { createInterface } from 'node:readline';

import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';

import { readEnvironment } from './support/environment.ts';
import { eventually } from './support/eventually.ts';
import { Kubectl } from './support/kubectl.ts';
import { installComponent } from './support/manifests.ts';
import { TestImage } from './support/test-image.ts';
import { createNamespace } from './support/test-namespace.ts';
import { Webhook } from './support/webhook.ts';
import { workload } from './support/workload.ts';

const environment = readEnvironment();
const { kubeconfig, registry, directory } = environment;
const admin = new Kubectl(kubeconfig);
const webhook = new Webhook(environment, ['--events']);

interface NamespaceEvent {
  readonly reason: string;
  readonly type: string;
  readonly message: string;
  readonly involvedObject: { readonly kind: string; readonly name: string; readonly uid?: string };
}

let removeComponent: () => Promise<void>;
let image: TestImage;
let kubectl: Kubectl;

beforeAll(async () => {
  removeComponent = await installComponent(admin, 'events');
  await webhook.start();
  image = await TestImage.ofOnePlatform(registry);
  kubectl = await createNamespace(kubeconfig, { mode: 'pin' });
});
afterAll(async () => {
  await webhook.stop();
  await removeComponent();
});

async function events(of: Kubectl): Promise<readonly NamespaceEvent[]> {
  const { stdout } = await of.run(['get', 'events', '--output=json']);
  const { items } = JSON.parse(stdout) as { items: readonly NamespaceEvent[] };
  return items.filter(({ reason }) => reason === 'ImageNotPinned');
}

/** The annotations that the API server has written down with the creation of a Pod. */
async function auditAnnotations(name: string): Promise<Readonly<Record<string, string>>> {
  const file = join(directory, 'kube-apiserver-audit.jsonl');
  for await (const line of createInterface({ input: createReadStream(file) })) {
    const { verb, objectRef, annotations } = JSON.parse(line);
    const isOurs = objectRef?.namespace === kubectl.namespace && objectRef.name === name;
    if (verb === 'create' && isOurs) return annotations;
  }
  throw new Error(`${name} is not in the audit log`);
}

/** A certificate or a key of a kubeconfig, PEM. */
function pemIn(fields: Readonly<Record<string, string>>, name: string): Buffer {
  return Buffer.from(fields[`${name}-data`] ?? '', 'base64');
}

/** Creates a Pod with headers that kubectl does not send. */
async function post(pod: object, headers: Readonly<Record<string, string>>): Promise<void> {
  const { clusters, users } = JSON.parse(await readFile(kubeconfig, 'utf8'));
  const { cluster } = clusters[0];
  const { user } = users[0];
  const url = `${cluster.server}/api/v1/namespaces/${kubectl.namespace}/pods`;
  const asked = request(url, {
    method: 'POST',
    headers: { 'content-type': 'application/json', ...headers },
    ca: pemIn(cluster, 'certificate-authority'),
    cert: pemIn(user, 'client-certificate'),
    key: pemIn(user, 'client-key'),
    agent: false,
  });
  asked.end(JSON.stringify(pod));
  const [response] = (await once(asked, 'response')) as [IncomingMessage];
  response.resume();
  expect(response.statusCode).toBe(201);
}

describe('the audit log of the API server', () => {
  it('tells which digest an image got, and who told it', async () => {
    await kubectl.apply(workload('Pod', { name: 'audited', image: image.tagged }));

    await eventually(async () => {
      const annotations = await auditAnnotations('audited');
      const digest = await image.digest();
      expect(annotations['pods.pin.tagpin.dev/images']).toBe(
        `container=web outcome=pinned original=${image.tagged} digest=${digest} host=${registry.host} age=0s`,
      );
    });
  });

  it('tells why an image kept its tag', async () => {
    const missing = `${image.name}:missing`;
    await kubectl.apply(workload('Pod', { name: 'unpinned', image: missing }));

    await eventually(async () => {
      const annotations = await auditAnnotations('unpinned');
      expect(annotations['pods.pin.tagpin.dev/images']).toBe(
        `container=web outcome=failed original=${missing} reason=not_found`,
      );
    });
  });
});

describe('the log line of a review', () => {
  it('has the trace of the request that the API server was sent', async () => {
    const trace = '4bf92f3577b34da6a3ce929d0e0e4736';
    const pod = workload('Pod', { name: 'traced', image: image.tagged });
    await post(pod, { traceparent: `00-${trace}-00f067aa0ba902b7-01` });

    await eventually(async () => {
      const log = await readFile(
        join(directory, `webhook-${environment.webhook.port}.log`),
        'utf8',
      );
      const line = log.split('\n').find((text) => text.includes('"name":"traced"')) ?? '{}';
      expect(JSON.parse(line)).toMatchObject({
        traceparent: expect.stringMatching(new RegExp(`^00-${trace}-[0-9a-f]{16}-[0-9a-f]{2}$`)),
      });
    });
  });
});

describe('an Event in the namespace', () => {
  it('tells of a Deployment whose image is not there, once', async () => {
    const of = await createNamespace(kubeconfig, { mode: 'pin' });
    const missing = `${image.name}:missing`;
    await of.apply(workload('Deployment', { image: missing }));

    await eventually(async () => {
      const told = await events(of);
      expect(told.map(({ involvedObject }) => involvedObject.kind).toSorted()).toEqual([
        'Deployment',
        'ReplicaSet',
      ]);
      for (const { type, message } of told) {
        expect(type).toBe('Warning');
        expect(message).toContain(`web (${registry.host}) [not_found]`);
      }
    });
    const replicaSet = (await events(of)).find((one) => one.involvedObject.kind === 'ReplicaSet');
    const { uid = '', name = '' } = replicaSet?.involvedObject ?? {};
    const described = await of.run(['describe', 'replicaset', name]);
    expect(uid).not.toBe('');
    expect(described.stdout).toContain('ImageNotPinned');
  });

  it('tells of a Pod that is refused, and of nothing in a dry run', async () => {
    const of = await createNamespace(kubeconfig, { mode: 'enforce' });
    const input = workload('Pod', { name: 'refused', image: `${image.name}:missing` });
    const dryRun = ['create', '--filename=-', '--dry-run=server'];
    await of.run(dryRun, { input, mayFail: true });
    await of.run(['create', '--filename=-'], { input, mayFail: true });

    await eventually(async () => {
      const told = await events(of);
      expect(told.map(({ message }) => message)).toEqual([
        `Pod "refused" was refused: web (${registry.host}) [not_found]`,
      ]);
    });
  });

  it('is about the namespace where a Pod of nobody has no name yet', async () => {
    const of = await createNamespace(kubeconfig, { mode: 'pin' });
    const pod = workload('Pod', { image: `${image.name}:missing` });
    const input = { ...pod, metadata: { generateName: 'web-' } };
    await of.run(['create', '--filename=-'], { input });

    await eventually(async () => {
      const told = await events(of);
      expect(told.map(({ involvedObject }) => involvedObject)).toMatchObject([
        { kind: 'Namespace', name: of.namespace },
      ]);
    });
    expect(await webhook.metric('tagpin_events_total', { result: 'failed' })).toBe(0);
  });
});
