import { globSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { connect } from 'node:tls';

import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';

import { call } from '../test/support/call.ts';
import { objectOf, POD, reviewBody, specOf } from '../test/support/review.ts';
import { accountKubeconfig } from './support/account-kubeconfig.ts';
import { asFile } from './support/as-file.ts';
import {
  type BuiltInReplica,
  bareConfiguration,
  type Configuration,
  callFor,
  startReplica,
} from './support/built-in.ts';
import { unpackedPackage } from './support/debian.ts';
import { readEnvironment } from './support/environment.ts';
import { eventually } from './support/eventually.ts';
import { freePort } from './support/free-port.ts';
import { Kubectl } from './support/kubectl.ts';
import { pinsOf, untouched } from './support/pins.ts';
import { createPullSecret } from './support/pull-secret.ts';
import { askOperations } from './support/serving.ts';
import { Switch } from './support/switch.ts';
import { TestImage } from './support/test-image.ts';
import { createNamespace } from './support/test-namespace.ts';
import { Webhook } from './support/webhook.ts';
import { podTemplateOf, type StoredObject, workload } from './support/workload.ts';

const environment = readEnvironment();
const { kubeconfig, registry, privateRegistry, directory } = environment;
const admin = new Kubectl(kubeconfig);
const system = new Kubectl(kubeconfig, 'tagpin-system');
/** Of this file's own webhook configuration, Secret and rights. */
const NAME = 'operation-faults';
const PULLED = { imagePullSecrets: [{ name: 'right' }] };
const SECRETS_READER = 'tagpin-pull-secret-reader';

const REMOVE = ['delete', '--ignore-not-found'];

let endpoint: Switch;
let identity: string;

beforeAll(async () => {
  const port = await freePort();
  endpoint = new Switch();
  await endpoint.listen(port);
  identity = await accountKubeconfig(system, NAME, directory);
  await admin.apply({ apiVersion: 'v1', kind: 'List', items: rights() });
  await admin.apply(bareConfiguration(port, NAME));
});

afterAll(async () => {
  await admin.run([...REMOVE, 'mutatingwebhookconfiguration,clusterrole,clusterrolebinding', NAME]);
  await system.run([...REMOVE, 'secret,serviceaccount', NAME]);
  await endpoint.close();
});

/** Of an account of this file's own: to keep a certificate under its name, and to read pull secrets. */
function rights(): object[] {
  const apiVersion = 'rbac.authorization.k8s.io/v1';
  const metadata = { name: NAME };
  const roleRef = { apiGroup: 'rbac.authorization.k8s.io', kind: 'ClusterRole', name: NAME };
  const configurations = ['mutatingwebhookconfigurations', 'validatingwebhookconfigurations'];
  const registration = { apiGroups: ['admissionregistration.k8s.io'], resources: configurations };
  const rules = [
    { ...registration, resourceNames: [NAME], verbs: ['get', 'patch'] },
    { apiGroups: [''], resources: ['secrets'], verbs: ['get', 'patch', 'create'] },
  ];
  const subjects = [{ kind: 'ServiceAccount', name: NAME, namespace: 'tagpin-system' }];
  return [
    { apiVersion, kind: 'ClusterRole', metadata, rules },
    { apiVersion, kind: 'ClusterRoleBinding', metadata, roleRef, subjects },
  ];
}

/** A replica with built-in certificates, which the API server calls from now on. */
async function startCalled(
  settings: readonly string[],
  env: Readonly<Record<string, string>> = {},
): Promise<BuiltInReplica> {
  const own = [
    `--kubeconfig=${identity}`,
    `--webhook-configuration=${NAME}`,
    `--certificate-secret=tagpin-system/${NAME}`,
  ];
  const more = [`--plain-http=${registry.host},${privateRegistry.host}`, '--cache-ttl=1h'];
  const replica = await startReplica(environment, [...own, ...more, ...settings], { env });
  endpoint.pointAt(replica.port);
  return replica;
}

/** A namespace for which that replica is called, with the pull secret of the private registry. */
async function calledNamespace(): Promise<Kubectl> {
  const kubectl = await createNamespace(kubeconfig);
  await callFor(admin, kubectl, NAME);
  await createRightSecret(kubectl);
  return kubectl;
}

async function createRightSecret(kubectl: Kubectl): Promise<void> {
  const { host, account } = privateRegistry;
  await createPullSecret(kubectl, 'right', { host, username: '', password: '', ...account });
}

async function imagesOf(kubectl: Kubectl, name: string): Promise<object> {
  return pinsOf(podTemplateOf(await kubectl.get<StoredObject>('pod', name))).images;
}

/** Where the API server calls, and whose certificates it takes. */
async function entry(): Promise<{ readonly path: string; readonly bundle: string }> {
  const { webhooks } = await admin.get<Configuration>('mutatingwebhookconfiguration', NAME);
  const { url, caBundle = '' } = webhooks[1]!.clientConfig;
  return { path: new URL(url).pathname, bundle: Buffer.from(caBundle, 'base64').toString() };
}

describe('the API server stands still', () => {
  let replica: BuiltInReplica;
  let namespace: Kubectl;
  beforeAll(async () => {
    replica = await startCalled([]);
    namespace = await calledNamespace();
  });
  afterAll(() => replica.stop());

  it('what is known goes on, what is not is told, and all is as before when it is back', async () => {
    const [known, second, open] = await Promise.all([
      TestImage.ofOnePlatform(privateRegistry),
      TestImage.ofOnePlatform(privateRegistry),
      TestImage.ofOnePlatform(registry),
    ]);
    const pod = (name: string): object =>
      workload('Pod', { name, image: known.tagged, podSpec: PULLED });
    await eventually(() => namespace.apply(pod('before')));
    const pinned = await known.pinned();
    expect(await imagesOf(namespace, 'before')).toEqual({ web: pinned });

    const { path, bundle } = await entry();
    // Of another API server, which is there: each over a connection of its own.
    const review = async (image: string, podSpec: object, of?: string): Promise<Answer> => {
      const object = objectOf(POD, { spec: { ...specOf({ web: image }), ...podSpec } });
      const more = { namespace: of ?? namespace.namespace };
      const body = JSON.stringify(reviewBody(POD, { object, more }));
      const { status, text } = await call(replica.port, bundle, { path, body });
      expect(status).toBe(200);
      return answerIn(text);
    };
    const apiServer = Number(readFileSync(join(directory, 'kube-apiserver.pid'), 'utf8'));
    process.kill(apiServer, 'SIGSTOP');
    try {
      expect((await review(known.tagged, PULLED)).patch).toContain(pinned);
      // A new tag, with the credentials that were read before; and one that needs none.
      expect((await review(second.tagged, PULLED)).patch).toContain(await second.pinned());
      expect((await review(open.tagged, {})).patch).toContain(await open.pinned());
      const unread = await review(known.tagged, PULLED, 'another');
      expect(unread).toEqual({
        patch: expect.not.stringContaining('sha256'),
        warnings: [expect.stringMatching(/the API server did not answer .*\[secret_unrea/)],
      });
      await eventually(() => {
        expect(readFileSync(replica.logFile, 'utf8')).toContain('certificates not kept');
      });
      expect((await review(known.tagged, PULLED)).patch).toContain(pinned);
      const answers = ['readyz', 'healthz'].map((probe) => askOperations(replica, `/${probe}`));
      expect((await Promise.all(answers)).map(({ status }) => status)).toEqual([200, 200]);
    } finally {
      process.kill(apiServer, 'SIGCONT');
    }

    const fresh = await calledNamespace();
    await eventually(() => fresh.apply(pod('after')));
    expect(await imagesOf(fresh, 'after')).toEqual({ web: pinned });
  });
});

interface Answer {
  readonly patch: string;
  readonly warnings: readonly string[];
}

function answerIn(text: string): Answer {
  const { patch = '', warnings = [] } = JSON.parse(text).response;
  return { patch: Buffer.from(patch, 'base64').toString(), warnings };
}

describe('the right to read pull secrets is taken away', () => {
  const webhook = new Webhook(environment);
  const cleanUp = new AsyncDisposableStack();
  let binding: object;
  beforeAll(async () => {
    cleanUp.defer(() => webhook.stop());
    await webhook.start();
    binding = asFile(await admin.get<StoredObject>('clusterrolebinding', SECRETS_READER));
    cleanUp.defer(async () => void (await admin.apply(binding)));
  });
  afterAll(() => cleanUp.disposeAsync());

  it('reviews say so, with the command that gives it for a namespace, after which all is well', async () => {
    const image = await TestImage.ofOnePlatform(privateRegistry);
    const [pin, enforce] = await Promise.all([
      createNamespace(kubeconfig, { mode: 'pin' }),
      createNamespace(kubeconfig, { mode: 'enforce' }),
    ]);
    await Promise.all([createRightSecret(pin), createRightSecret(enforce)]);
    const pod = (name: string): object =>
      workload('Pod', { name, image: image.tagged, podSpec: PULLED });
    await admin.run(['delete', 'clusterrolebinding', SECRETS_READER]);
    const what = 'tagpin may not read secrets';
    // The API server takes a moment to know of its own rights.
    await eventually(async () => {
      const { stderr } = await pin.run(['create', '--dry-run=server', '--filename=-'], {
        input: pod('soon'),
      });
      expect(stderr).toContain(what);
    });

    const { stderr } = await pin.apply(pod('web'));
    expect(stderr).toMatch(/tagpin may not read secrets ".*\/right".*\[forbidden_secret\]/u);
    const stored = podTemplateOf(await pin.get<StoredObject>('pod', 'web'));
    expect(pinsOf(stored)).toEqual(untouched(image));

    const create = ['create', '--filename=-'];
    const denied = await enforce.run(create, { input: pod('web'), mayFail: true });
    const command = /kubectl (create rolebinding [^\n]*? --serviceaccount \S+:\w+)/u.exec(
      denied.stderr,
    );
    expect(command?.[1]).toContain(`--namespace ${enforce.namespace} `);
    await admin.run(command?.[1]?.split(' ') ?? []);
    await eventually(() => enforce.run(create, { input: pod('web') }));
    expect(await imagesOf(enforce, 'web')).toEqual({ web: await image.pinned() });

    await admin.apply(binding);
    await eventually(async () => {
      await pin.run(['delete', 'pod', 'web', '--now', '--ignore-not-found']);
      await pin.apply(pod('web'));
      expect(await imagesOf(pin, 'web')).toEqual({ web: await image.pinned() });
    });
  });
});

describe('the clock of the machine is set to another day', () => {
  let replica: BuiltInReplica;
  let namespace: Kubectl;
  let clock: string;
  beforeAll(async () => {
    clock = join(directory, 'clock');
    writeFileSync(clock, '+0d');
    // Long enough to be renewed in time, and short enough to see it.
    replica = await startCalled(['--certificate-lifetime=30s'], await fakedTime(clock));
    namespace = await calledNamespace();
  });
  afterAll(() => replica.stop());

  it.each([
    ['a day ahead', '+1d'],
    ['a day back', '-1d'],
  ])(
    '%s: the certificate is renewed and no earlier, caches hold, Pods are pinned',
    async (_where, offset) => {
      const image = await TestImage.ofOnePlatform(registry);
      const make = async (name: string): Promise<void> => {
        await namespace.apply(workload('Pod', { name, image: image.tagged }));
        expect(await imagesOf(namespace, name)).toEqual({ web: await image.pinned() });
      };
      const id = offset.slice(1) + (offset.startsWith('+') ? 'ahead' : 'back');
      await eventually(() => make(`before-${id}`));
      const misses = await replica.metric('tagpin_cache_requests_total', { result: 'miss' });

      writeFileSync(clock, offset);
      const days = Number(offset.slice(0, 2));
      await eventually(async () => {
        await make(`step-${id}-${performance.now().toFixed(0)}`);
        expect(await logsDays(replica)).toBe(days);
      });
      expect(await replica.metric('tagpin_cache_requests_total', { result: 'miss' })).toBe(misses);
      expect((await askOperations(replica, '/readyz')).status).toBe(200);

      const before = await serialOf(replica.port);
      await eventually(async () => {
        await make(`renewed-${id}-${performance.now().toFixed(0)}`);
        expect(await serialOf(replica.port)).not.toBe(before);
        // By a connection that begins now.
        endpoint.pointAt(replica.port);
        await make(`called-${id}-${performance.now().toFixed(0)}`);
      });
      const name = 'tagpin_certificate_expiry_timestamp_seconds';
      const expiry = await replica.metric(name, { certificate: 'serving' });
      expect(Math.abs(expiry - Date.now() / 1000)).toBeLessThan(3600);
      expect(readFileSync(replica.logFile, 'utf8')).not.toMatch(/CERT_(HAS_EXPIRED|NOT_YET)/);
    },
  );
});

/** The environment in which a process takes the time from a file, and its timers from the machine. */
async function fakedTime(file: string): Promise<Record<string, string>> {
  const place = await unpackedPackage('libfaketime');
  const [library = ''] = globSync(join(place, 'usr/lib/*/faketime/libfaketime.so.1'));
  return {
    LD_PRELOAD: library,
    FAKETIME_TIMESTAMP_FILE: file,
    FAKETIME_CACHE_DURATION: '1',
    FAKETIME_DONT_FAKE_MONOTONIC: '1',
  };
}

/** How many days ahead of this machine the last line of its log is. */
async function logsDays({ logFile }: BuiltInReplica): Promise<number> {
  const last = readFileSync(logFile, 'utf8').trimEnd().split('\n').at(-1) ?? '';
  const { time } = JSON.parse(last) as { time: string };
  return Math.round((Date.parse(time) - Date.now()) / 86_400_000);
}

function serialOf(at: number): Promise<string> {
  return new Promise((resolve, reject) => {
    const socket = connect({ port: at, host: '127.0.0.1', rejectUnauthorized: false }, () => {
      resolve(socket.getPeerX509Certificate()?.serialNumber ?? '');
      socket.destroy();
    });
    socket.once('error', reject);
  });
}
