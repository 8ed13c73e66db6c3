import { X509Certificate } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { Agent, request } from 'node:https';
import { connect } from 'node:tls';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';

import { asFile } from './support/as-file.ts';
import { Balancer } from './support/balancer.ts';
import {
  type BuiltInReplica,
  bareConfiguration,
  CONFIGURATION,
  type Configuration,
  callFor,
  generationsOf,
  SECRET,
  startReplica,
} from './support/built-in.ts';
import { readEnvironment } from './support/environment.ts';
import { eventually } from './support/eventually.ts';
import { freePort } from './support/free-port.ts';
import { Kubectl } from './support/kubectl.ts';
import { addedByComponent } from './support/manifests.ts';
import { pinsOf } from './support/pins.ts';
import { PodMaker } from './support/pod-maker.ts';
import { TestImage } from './support/test-image.ts';
import { createNamespace } from './support/test-namespace.ts';
import { podTemplateOf, type StoredObject, workload } from './support/workload.ts';

const environment = readEnvironment();
const admin = new Kubectl(environment.kubeconfig);
const REMOVE = ['delete', '--ignore-not-found'];
/** Lives short enough for a rotation of everything within a minute, on a machine that is busy. */
const LIFETIMES = ['--certificate-lifetime=40s', '--authority-lifetime=60s'];

let port: number;
let balancer: Balancer;
let image: TestImage;
let namespace: Kubectl;
let enforcing: Kubectl;
const cleanUp = new AsyncDisposableStack();
const replicas: BuiltInReplica[] = [];

function readConfiguration(): Promise<Configuration> {
  return admin.get<Configuration>('mutatingwebhookconfiguration', CONFIGURATION);
}

async function ourEntry(): Promise<{ readonly url: URL; readonly bundle: string }> {
  const { webhooks } = await readConfiguration();
  const { url, caBundle = '' } = webhooks[1]!.clientConfig;
  return { url: new URL(url), bundle: Buffer.from(caBundle, 'base64').toString() };
}

/** Takes the configuration away; gives what brings it back in the place of any other. */
async function setAside(): Promise<() => Promise<void>> {
  const configuration = ['mutatingwebhookconfiguration', CONFIGURATION];
  const stored = await admin.get<StoredObject>(...configuration);
  await admin.run(['delete', ...configuration]);
  return async () => {
    await admin.run([...REMOVE, ...configuration]);
    await admin.apply(asFile(stored));
  };
}

/** How many entries call for mode `pin`, by what each replica counts. */
function counted(): Promise<readonly number[]> {
  return Promise.all(
    replicas.map(({ metric }) => metric('tagpin_webhook_entries', { mode: 'pin' })),
  );
}

/** What a new connection to a replica says, as an API server looks at it. */
function handshake(replica: BuiltInReplica, bundle: string): Promise<X509Certificate> {
  return new Promise((resolve, reject) => {
    const socket = connect({ port: replica.port, host: '127.0.0.1', ca: bundle }, () => {
      resolve(socket.getPeerX509Certificate()!);
      socket.destroy();
    });
    socket.once('error', reject);
  });
}

function post(path: string, bundle: string): Promise<{ status: number; body: string }> {
  const agent = new Agent({ ca: bundle });
  return new Promise((resolve, reject) => {
    const headers = { 'content-type': 'application/json' };
    const call = request(
      { agent, host: '127.0.0.1', port: replicas[0]!.port, path, method: 'POST', headers },
      (response) => {
        let body = '';
        response.on('data', (chunk: Buffer) => (body += chunk.toString()));
        response.on('end', () => resolve({ status: response.statusCode ?? 0, body }));
      },
    );
    call.once('error', reject);
    call.end('{}');
  });
}

async function stopReplicas(): Promise<void> {
  await Promise.all(replicas.splice(0).map((replica) => replica.stop()));
}

beforeAll(async () => {
  const items = await addedByComponent(admin, 'built-in-certificates');
  const granted = { apiVersion: 'v1', kind: 'List', items };
  cleanUp.defer(
    async () => void (await admin.run([...REMOVE, '--filename=-'], { input: granted })),
  );
  await admin.apply(granted);
  // Other tests go by it.
  cleanUp.defer(await setAside());
  port = await freePort();
  balancer = new Balancer(() => replicas.map((replica) => replica.port));
  cleanUp.defer(() => balancer.close());
  await balancer.listen(port);
  cleanUp.defer(async () => {
    await stopReplicas();
    await admin.run([...REMOVE, 'secret', SECRET, '--namespace=tagpin-system']);
  });
  await admin.apply(bareConfiguration(port));
  image = await TestImage.ofOnePlatform(environment.registry);
  namespace = await createNamespace(environment.kubeconfig);
  enforcing = await createNamespace(environment.kubeconfig, { mode: 'enforce' });
  for (const called of [namespace, enforcing]) await callFor(admin, called);
});

afterAll(() => cleanUp.disposeAsync());

describe('built-in certificates, with nothing else installed', () => {
  it('three replicas that start at once agree on one authority, and a Pod is pinned', async () => {
    const started = await Promise.all([1, 2, 3].map(() => startReplica(environment, [])));
    replicas.push(...started);

    const generations = await generationsOf(admin);
    expect(generations).toHaveLength(1);
    const authority = new X509Certificate(generations[0]!.certificate);
    const { bundle } = await ourEntry();
    for (const replica of replicas) {
      const shown = await handshake(replica, bundle);
      expect(shown.checkIssued(authority)).toBe(true);
    }
    await namespace.apply(workload('Pod', { image: image.tagged }));
    const stored = podTemplateOf(await namespace.get<StoredObject>('pod', 'web'));
    expect(pinsOf(stored).images).toEqual({ web: await image.pinned() });
  });

  it('leave entries of others alone', async () => {
    const { webhooks } = await readConfiguration();
    expect(webhooks[0]?.clientConfig).toEqual({ url: 'https://127.0.0.1:1/other' });
  });

  it('stay as they are when the file is applied again, which says nothing of them', async () => {
    const stored = await readConfiguration();
    const { clientConfig } = stored.webhooks[2]!;
    expect(clientConfig).toMatchObject({
      caBundle: stored.webhooks[1]?.clientConfig.caBundle,
      service: { path: (await ourEntry()).url.pathname },
    });
    for (const how of [[], ['--server-side', '--force-conflicts']]) {
      const apply = ['apply', '--filename=-', '--dry-run=server', '--output=json', ...how];
      const { stdout } = await admin.run(apply, { input: bareConfiguration(port) });
      const applied = JSON.parse(stdout) as Configuration;
      expect(applied.webhooks[2]?.clientConfig).toEqual(clientConfig);
    }
  });

  it('say when certificate and authority expire', async () => {
    const name = 'tagpin_certificate_expiry_timestamp_seconds';
    const day = 86_400;
    const leaf = await replicas[0]!.metric(name, { certificate: 'serving', source: 'built-in' });
    const authority = await replicas[0]!.metric(name, { certificate: 'authority' });
    expect(Math.round((leaf - Date.now() / 1000) / day)).toBe(7);
    expect(Math.round((authority - Date.now() / 1000) / day)).toBe(365);
  });
});

/** One by which the controller of ServiceAccounts would hand out a token, if it had that type. */
function secret(name: string, type: string): object {
  const annotations = { 'kubernetes.io/service-account.name': 'default' };
  const metadata = { name, namespace: 'tagpin-system', annotations };
  return { apiVersion: 'v1', kind: 'Secret', metadata, type };
}

describe('the account of tagpin', () => {
  const AS_TAGPIN = ['--as=system:serviceaccount:tagpin-system:tagpin', '--dry-run=server'];

  async function refusalOf(args: readonly string[], input?: object): Promise<string> {
    const options = { mayFail: true, ...(input === undefined ? {} : { input }) };
    const { stderr } = await admin.run([...args, ...AS_TAGPIN], options);
    return stderr;
  }

  it.each([
    ['of another name', secret('other', 'Opaque')],
    [
      'that would be a token of a ServiceAccount',
      secret(SECRET, 'kubernetes.io/service-account-token'),
    ],
  ])('makes no Secret %s', async (_which, object) => {
    expect(await refusalOf(['create', '--filename=-'], object)).toContain(
      "ValidatingAdmissionPolicy 'tagpin-own-secret'",
    );
  });

  const ENTRY = '/webhooks/1';
  const RULES = [{ apiGroups: ['*'], apiVersions: ['*'], operations: ['*'], resources: ['*/*'] }];
  const ENTRY_MORE = {
    name: 'more.example.com',
    clientConfig: { url: 'https://example.com/' },
    sideEffects: 'None',
    admissionReviewVersions: ['v1'],
  };
  const OWNER = { apiVersion: 'v1', kind: 'Namespace', name: 'default', uid: 'none' };

  function patchOfConfiguration(operation: object): Promise<string> {
    const patch = `--patch=${JSON.stringify([operation])}`;
    return refusalOf([
      'patch',
      'mutatingwebhookconfiguration',
      CONFIGURATION,
      '--type=json',
      patch,
    ]);
  }

  it.each([
    ['the rules', { op: 'replace', path: `${ENTRY}/rules`, value: RULES }],
    ['the namespaces', { op: 'replace', path: `${ENTRY}/namespaceSelector`, value: {} }],
    ['the objects', { op: 'add', path: `${ENTRY}/objectSelector/matchLabels`, value: { a: 'b' } }],
    [
      'the conditions',
      { op: 'add', path: `${ENTRY}/matchConditions`, value: [{ name: 'a', expression: 'true' }] },
    ],
    ['the failure policy', { op: 'replace', path: `${ENTRY}/failurePolicy`, value: 'Ignore' }],
    ['the timeout', { op: 'replace', path: `${ENTRY}/timeoutSeconds`, value: 30 }],
    ['the side effects', { op: 'replace', path: `${ENTRY}/sideEffects`, value: 'NoneOnDryRun' }],
    ['the match policy', { op: 'replace', path: `${ENTRY}/matchPolicy`, value: 'Exact' }],
    ['the reinvocation', { op: 'replace', path: `${ENTRY}/reinvocationPolicy`, value: 'Never' }],
    ['the reviews', { op: 'add', path: `${ENTRY}/admissionReviewVersions/-`, value: 'v1beta1' }],
    [
      'the host',
      { op: 'replace', path: `${ENTRY}/clientConfig/url`, value: 'https://example.com/' },
    ],
    ['a Service', { op: 'replace', path: '/webhooks/2/clientConfig/service/name', value: 'other' }],
    [
      'its namespace',
      { op: 'replace', path: '/webhooks/2/clientConfig/service/namespace', value: 'default' },
    ],
    ['its port', { op: 'add', path: '/webhooks/2/clientConfig/service/port', value: 8443 }],
    ['a name', { op: 'replace', path: `${ENTRY}/name`, value: 'another.example.com' }],
    ['an entry that is gone', { op: 'remove', path: ENTRY }],
    ['an entry more', { op: 'add', path: '/webhooks/-', value: ENTRY_MORE }],
    ['a label', { op: 'add', path: '/metadata/labels', value: { a: 'b' } }],
    ['an annotation', { op: 'add', path: '/metadata/annotations/a', value: 'b' }],
    ['a finalizer', { op: 'add', path: '/metadata/finalizers', value: ['example.com/stays'] }],
    ['an owner', { op: 'add', path: '/metadata/ownerReferences', value: [OWNER] }],
  ])(
    'changes nothing of its webhook configuration but bundles and paths: %s',
    async (_what, operation) => {
      expect(await patchOfConfiguration(operation)).toContain(
        "ValidatingAdmissionPolicy 'tagpin-own-webhooks'",
      );
    },
  );

  it('changes bundles and paths', async () => {
    const { url } = await ourEntry();
    const another = new URL('/caller/other/admission/pin', url).href;
    const bundle = { op: 'remove', path: `${ENTRY}/clientConfig/caBundle` };
    const path = { op: 'replace', path: `${ENTRY}/clientConfig/url`, value: another };
    expect(await patchOfConfiguration(bundle)).toBe('');
    expect(await patchOfConfiguration(path)).toBe('');
  });
});

describe('who may call', () => {
  it('is told by the path alone, and nobody else learns anything', async () => {
    const { url, bundle } = await ourEntry();
    const [, , token = ''] = url.pathname.split('/');
    const wrong = token.startsWith('a') ? `b${token.slice(1)}` : `a${token.slice(1)}`;
    const refused = await Promise.all(
      ['/admission/pin', `/caller/${wrong}/admission/pin`, '/nothing', `/caller/${token}`].map(
        (path) => post(path, bundle),
      ),
    );
    expect(new Set(refused.map(({ status, body }) => `${status} ${body}`)).size).toBe(1);
    expect(refused[0]?.status).toBe(401);
    expect(await post(url.pathname, bundle)).toMatchObject({ status: 400 });
    const reason = { reason: 'unknown_caller' };
    expect(await replicas[0]!.metric('tagpin_admission_refused_total', reason)).toBe(4);
    for (const { logFile } of replicas) {
      const log = readFileSync(logFile, 'utf8');
      expect(log).not.toContain(token);
      expect(log).not.toContain('PRIVATE KEY');
    }
  });
});

describe('while Pods are made, one after the other', () => {
  it('certificates, authorities and paths change, the Secret is deleted, and each Pod is made and pinned', async () => {
    await stopReplicas();
    await admin.run(['delete', 'secret', SECRET, '--namespace=tagpin-system']);
    await admin.run(['delete', 'mutatingwebhookconfiguration', CONFIGURATION]);
    await admin.apply(bareConfiguration(port));
    replicas.push(
      ...(await Promise.all([1, 2, 3].map(() => startReplica(environment, LIFETIMES)))),
    );
    const namespaces = [namespace, enforcing];
    await eventually(async () => {
      for (const kubectl of namespaces) {
        await kubectl.apply(workload('Pod', { name: 'first', image: image.tagged }));
      }
    });

    const paths = new Set<string>();
    const serials = new Set<string>();
    const authorities = new Set<string>();
    const makers = namespaces.map((kubectl) => new PodMaker(kubectl, image.tagged));
    const lookAround = async (): Promise<void> => {
      const { url, bundle } = await ourEntry();
      paths.add(url.pathname);
      for (const replica of replicas) {
        const shown = await handshake(replica, bundle);
        serials.add(shown.serialNumber);
        authorities.add(shown.issuer);
      }
    };
    const until = async (count: number): Promise<void> => {
      while (paths.size < count || authorities.size < count) await lookAround();
    };
    try {
      await until(2);
      await admin.run(['delete', 'secret', SECRET, '--namespace=tagpin-system']);
      await until(3);
    } finally {
      await Promise.all(makers.map((maker) => maker.stop()));
    }

    const made = makers.map((maker) => maker.made);
    process.stderr.write(
      `e2e: ${made.map(({ pinned }) => pinned).join(' and ')} Pods made during ${authorities.size - 1} changes of the authority, ` +
        `${serials.size} certificates\n`,
    );
    for (const { pinned, unpinned, failures } of made) {
      expect(failures).toEqual([]);
      expect(unpinned).toBe(0);
      expect(pinned).toBeGreaterThan(25);
    }
    // Three replicas, and each changed its certificate with each authority.
    expect(serials.size).toBeGreaterThanOrEqual(9);
    for (const { logFile } of replicas) {
      const log = readFileSync(logFile, 'utf8');
      for (const path of paths) expect(log).not.toContain(path.split('/')[2]);
    }
  });

  it('the webhook configuration is deleted, and it is counted that nothing calls until there is one again', async () => {
    expect(Math.min(...(await counted()))).toBeGreaterThan(0);
    const putBack = await setAside();
    await eventually(async () => expect(await counted()).toEqual([0, 0, 0]));
    await putBack();
    await eventually(async () => expect(Math.min(...(await counted()))).toBeGreaterThan(0));
  });
});

describe('a Secret that holds something else', () => {
  it('is left alone, named in the log, and keeps a new replica from being ready, and no other', async () => {
    const { data } = await admin.get<{ data: object }>(
      'secret',
      SECRET,
      '--namespace=tagpin-system',
    );
    const foreign = '[{"op":"replace","path":"/data","value":{"tls.crt":"Zm9yZWlnbg=="}}]';
    const patch = ['patch', 'secret', SECRET, '--namespace=tagpin-system', '--type=json'];
    await admin.run([...patch, `--patch=${foreign}`]);
    try {
      const late = await startReplica(environment, [], {
        isReady: async (response) =>
          (await response.text()) === 'not ready: no certificate is signed\n',
      });
      await late.stop();
      const log = readFileSync(late.logFile, 'utf8');
      expect(log).toContain(
        `Cannot use the Secret \\"tagpin-system/${SECRET}\\": it has \\"tls.crt\\"`,
      );
      await namespace.apply(workload('Pod', { name: 'meanwhile', image: image.tagged }));
      const now = await admin.get<{ data: object }>('secret', SECRET, '--namespace=tagpin-system');
      expect(now.data).toEqual({ 'tls.crt': 'Zm9yZWlnbg==' });
    } finally {
      const back = JSON.stringify([{ op: 'replace', path: '/data', value: data }]);
      await admin.run([...patch, `--patch=${back}`]);
    }
  });
});
