import { describe, expect, it } from '@jest/globals';

import type { ApiAnswer, ApiRequest } from '../../src/doctor/api-server.ts';
import type { Facts } from '../../src/doctor/facts.ts';
import { type GatherParts, gatherFacts } from '../../src/doctor/gather.ts';
import { deployment, namespace } from '../support/doctor-facts.ts';

/** A cluster of answers by path without its query; what is not in it is not found. */
class Cluster {
  readonly asked: ApiRequest[] = [];
  readonly answers: Map<string, Partial<ApiAnswer> | ((request: ApiRequest) => Partial<ApiAnswer>)>;

  constructor(answers: Readonly<Record<string, object>> = {}) {
    this.answers = new Map(Object.entries(answers));
  }

  gather(parts: Partial<GatherParts> = {}): Promise<Facts> {
    return gatherFacts({
      installation: { namespace: 'tagpin-system', configuration: 'tagpin' },
      chosen: [],
      isTagpin: false,
      ask: (request) => {
        this.asked.push(request);
        const found = this.answers.get(request.path.split('?', 1).join());
        const answer = typeof found === 'function' ? found(request) : (found ?? { status: 404 });
        const defaults = { status: 200, message: undefined, value: undefined, text: '' };
        return Promise.resolve({ ...defaults, warnings: [], dateMs: undefined, ...answer });
      },
      lookAtServer: () => Promise.resolve({ state: 'unreachable', why: 'gone' }),
      askRegistries: () => Promise.resolve([]),
      ...parts,
    });
  }

  paths(method: ApiRequest['method']): readonly string[] {
    return this.asked.filter((one) => one.method === method).map(({ path }) => path);
  }
}

const ALLOWED = { status: 201, value: { status: { allowed: true } } };
const REVIEWS = '/apis/authorization.k8s.io/v1';

function list(...items: readonly object[]): object {
  return { value: { items } };
}

function pod(image: string): object {
  return { spec: { containers: [{ name: 'web', image }] } };
}

/** A list of two pages. */
function pageOf({ path }: ApiRequest): Partial<ApiAnswer> {
  const isFirst = !path.includes('continue=more');
  const metadata = isFirst ? { continue: 'more' } : {};
  return { value: { metadata, items: [namespace(isFirst ? 'a' : 'b')] } };
}

function healthOf(name: string): string {
  return `/api/v1/namespaces/tagpin-system/pods/${name}:9090/proxy/healthz`;
}

describe('gatherFacts()', () => {
  it('tries one Pod for each mode, where there is an image to try, and stores nothing', async () => {
    const modes = { a: 'pin', b: 'pin', c: 'enforce', 'kube-system': 'warn', d: 'Pin' };
    const cluster = new Cluster({
      '/api/v1/namespaces': list(
        ...Object.entries(modes).map(([name, mode]) =>
          namespace(name, { 'tagpin.dev/mode': mode }),
        ),
      ),
      '/api/v1/namespaces/b/pods': list(pod('r.example/x:1'), pod('r.example/y:1')),
      [`${REVIEWS}/selfsubjectaccessreviews`]: ALLOWED,
    });
    const images: string[] = [];
    const facts = await cluster.gather({
      askRegistries: (samples) => {
        images.push(...samples.map(({ image }) => image));
        return Promise.resolve([]);
      },
    });
    const tried = cluster.paths('POST').filter((path) => path.includes('/pods'));
    expect(tried.toSorted()).toEqual([
      '/api/v1/namespaces/b/pods?dryRun=All',
      '/api/v1/namespaces/c/pods?dryRun=All',
    ]);
    expect(facts.trials.map(({ mode }) => mode).toSorted()).toEqual(['enforce', 'pin']);
    expect(images).toEqual(['r.example/x:1']);
  });

  it('tries none where it may not, and says so', async () => {
    const cluster = new Cluster({
      '/api/v1/namespaces': list(namespace('a', { 'tagpin.dev/mode': 'pin' })),
      [`${REVIEWS}/selfsubjectaccessreviews`]: {
        status: 201,
        value: { status: { allowed: false } },
      },
    });
    const { trials } = await cluster.gather();
    expect(trials).toMatchObject([{ seen: { by: 'unknown', right: 'create pods --namespace a' } }]);
    expect(cluster.paths('POST').filter((path) => path.includes('/pods'))).toEqual([]);
  });

  it('looks at the namespaces that are named where it may not list them', async () => {
    const cluster = new Cluster({
      '/api/v1/namespaces': { status: 403 },
      '/api/v1/namespaces/shop': { value: namespace('shop', { 'tagpin.dev/mode': 'pin' }) },
    });
    const { namespaces, searched } = await cluster.gather({ chosen: ['shop'] });
    expect(namespaces.state).toBe('read');
    expect(searched).toMatchObject([{ namespace: 'shop', mode: 'pin' }]);
    const { namespaces: unread } = await cluster.gather();
    expect(unread).toEqual({
      state: 'unread',
      why: 'you may not list namespaces',
      right: 'list namespaces',
    });
  });

  it('keeps the name of a Secret one word of the right to it, whatever the Deployment says', async () => {
    const flags = ['--certificates=built-in', '--certificate-secret=a/b --kubeconfig=c'];
    const cluster = new Cluster({
      '/apis/apps/v1/namespaces/tagpin-system/deployments/tagpin': { value: deployment(flags) },
      '/api/v1/namespaces/a/secrets/b%20--kubeconfig%3Dc': { status: 403 },
    });
    const { secret } = await cluster.gather();
    expect(secret).toMatchObject({ right: 'get secrets/b%20--kubeconfig%3Dc --namespace a' });
  });

  it('reads every page of a list', async () => {
    const cluster = new Cluster();
    cluster.answers.set('/api/v1/namespaces', pageOf);
    const { namespaces } = await cluster.gather();
    expect(namespaces).toMatchObject({ value: [namespace('a'), namespace('b')] });
  });

  it.each([
    [false, 'subjectaccessreviews', 'system:serviceaccount:tagpin-system:tagpin'],
    [true, 'selfsubjectaccessreviews', undefined],
  ])('asks for the rights of tagpin (in its Pod: %s) at %s', async (isTagpin, path, user) => {
    const cluster = new Cluster({
      [`${REVIEWS}/${path}`]: ALLOWED,
      '/apis/apps/v1/namespaces/tagpin-system/deployments/tagpin': { value: deployment() },
    });
    const { rights } = await cluster.gather({ isTagpin });
    expect([...rights.values()]).toContainEqual({ state: 'read', value: true });
    const bodies = cluster.asked.filter((one) => one.path === `${REVIEWS}/${path}`);
    expect(
      new Set(bodies.map(({ body }) => (body as { spec: { user?: string } }).spec.user)),
    ).toEqual(new Set([user]));
  });

  it('counts the calls of tagpin that fail meanwhile, and nobody else’s', async () => {
    let asked = 0;
    const metrics = (): Partial<ApiAnswer> => {
      asked += 1;
      const line = 'apiserver_admission_webhook_fail_open_count{name=';
      const own = `${line}"pods.pin.tagpin.dev",type="admit"} ${2 + asked}`;
      return { text: `${own}\n${line}"pods.a.example",type="admit"} ${asked * 10}\n` };
    };
    const cluster = new Cluster();
    cluster.answers.set('/metrics', metrics);
    const { failedOpen } = await cluster.gather();
    expect(failedOpen).toEqual({ state: 'read', value: { inAll: 4, meanwhile: 1 } });
  });

  it('asks ready replicas for their time, and takes no answer of the API server for theirs', async () => {
    const ready = { conditions: [{ type: 'Ready', status: 'True' }] };
    const replica = (name: string): object => ({
      metadata: { name, namespace: 'tagpin-system' },
      status: ready,
    });
    const cluster = new Cluster({
      '/api/v1/namespaces/tagpin-system/pods': list(replica('a'), replica('b'), replica('c'), {}),
      [healthOf('a')]: { dateMs: Date.now() + 3_600_000 },
      [healthOf('b')]: { status: 503, dateMs: Date.now() },
      [healthOf('c')]: { status: 403 },
    });
    const { replicas } = await cluster.gather();
    expect(replicas).toEqual([
      { pod: 'a', aheadMs: expect.any(Number) },
      { pod: 'b', aheadMs: undefined },
      { pod: 'c', aheadMs: undefined, right: 'get pods/proxy --namespace tagpin-system' },
    ]);
    expect(Math.round((replicas[0]?.aheadMs ?? 0) / 600_000)).toBe(6);
  });
});
