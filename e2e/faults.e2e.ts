import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';

import { readEnvironment } from './support/environment.ts';
import { eventually } from './support/eventually.ts';
import { type LocalWebhook, startLocalWebhook } from './support/local-webhook.ts';
import { TestImage } from './support/test-image.ts';
import { type Proxy, startToxiproxy, type Toxiproxy } from './support/toxiproxy.ts';

const { registry } = readEnvironment();

/** A Pod's images by container name after a review, and why the others are no pins. */
interface Outcome {
  readonly images: Readonly<Record<string, string>>;
  readonly unpinned: Readonly<Record<string, string>>;
}

/** Connections are made, and nothing that is asked arrives. */
const SILENCE = { type: 'timeout', attributes: { timeout: 0 }, stream: 'upstream' } as const;

let webhook: LocalWebhook;
let toxiproxy: Toxiproxy;
let image: TestImage;
let digest: string;

beforeAll(async () => {
  toxiproxy = await startToxiproxy();
  webhook = await startLocalWebhook(['--plain-http=127.0.0.1:*', '--cache-ttl=0s']);
  image = await TestImage.ofTwoPlatforms(registry);
  digest = await image.digest();
});

afterAll(async () => {
  await webhook.stop();
  await toxiproxy.stop();
});

/** The image as it is called through a proxy. */
function through({ host }: Proxy, tag: string = image.tag): string {
  return `${host}/${image.repository}:${tag}`;
}

/** Sends a new Pod with these images. */
async function admit(images: Readonly<Record<string, string>>, timeout = '10s'): Promise<Outcome> {
  const containers = Object.entries(images).map(([name, one]) => ({ name, image: one }));
  const { response } = await webhook.send(
    'pin',
    {
      apiVersion: 'admission.k8s.io/v1',
      kind: 'AdmissionReview',
      request: {
        uid: 'e2e-faults',
        kind: { group: '', version: 'v1', kind: 'Pod' },
        operation: 'CREATE',
        namespace: 'faults',
        name: 'web',
        object: { metadata: { name: 'web' }, spec: { containers } },
      },
    },
    timeout,
  );
  expect(response.allowed).toBe(true);
  return outcomeOf(containers, response.patch);
}

interface Operation {
  readonly path: string;
  readonly value: unknown;
}

function outcomeOf(
  containers: readonly { readonly name: string; readonly image: string }[],
  patch = '',
): Outcome {
  const operations = (
    patch === '' ? [] : JSON.parse(Buffer.from(patch, 'base64').toString())
  ) as Operation[];
  const images = containers.map(({ name, image: before }, n) => {
    const written = operations.find(({ path }) => path === `/spec/containers/${n}/image`);
    return [name, typeof written?.value === 'string' ? written.value : before];
  });
  const mark = operations.flatMap(({ value }) => unpinnedIn(value) ?? []);
  return {
    images: Object.fromEntries(images) as Record<string, string>,
    unpinned: JSON.parse(mark[0] ?? '{}') as Record<string, string>,
  };
}

/** The annotation, whether it is written by itself or with all others. */
function unpinnedIn(value: unknown): string | undefined {
  if (typeof value === 'object' && value !== null) {
    const found = (value as Record<string, unknown>)['tagpin.dev/unpinned'];
    return typeof found === 'string' ? found : undefined;
  }
  return typeof value === 'string' && value.startsWith('{"') && !value.includes('sha256:')
    ? value
    : undefined;
}

function pinned(proxy: Proxy): string {
  return `${proxy.host}/${image.repository}@${digest}`;
}

/** A failure is remembered for a moment, and a host that was silent is left alone for a second. */
async function atLast(proxy: Proxy): Promise<Outcome['images']> {
  return eventually(async () => {
    const { images, unpinned } = await admit({ web: through(proxy) });
    if (unpinned['web'] !== undefined) throw new Error(`not pinned: ${unpinned['web']}`);
    return images;
  });
}

describe('a real registry behind a proxy that breaks', () => {
  it('fault 17: an answer that is cut → unavailable, then pinned once it is whole', async () => {
    const proxy = await toxiproxy.before(registry.host);
    await proxy.poison({ type: 'limit_data', attributes: { bytes: 60 } });
    expect((await admit({ web: through(proxy) })).unpinned).toEqual({ web: 'unavailable' });
    await proxy.heal();
    expect(await atLast(proxy)).toEqual({ web: pinned(proxy) });
  });

  it('fault 18: an answer of one byte a second → deadline_exceeded within the review, then pinned', async () => {
    const proxy = await toxiproxy.before(registry.host);
    await proxy.poison({
      type: 'slicer',
      attributes: { average_size: 1, size_variation: 0, delay: 1_000_000 },
    });
    const { unpinned } = await admit({ web: through(proxy) }, '3s');
    expect(unpinned).toEqual({ web: 'deadline_exceeded' });
    await proxy.heal();
    expect(await atLast(proxy)).toEqual({ web: pinned(proxy) });
  });

  it('fault 18: 1 KB/s, and a connection that is slow to close → pinned', async () => {
    const proxy = await toxiproxy.before(registry.host);
    await proxy.poison({ type: 'bandwidth', attributes: { rate: 1 } });
    await proxy.poison({ type: 'slow_close', attributes: { delay: 1000 } });
    expect(await atLast(proxy)).toEqual({ web: pinned(proxy) });
  });

  it('fault 19: headers never arrive → deadline_exceeded within the review, then pinned', async () => {
    const proxy = await toxiproxy.before(registry.host);
    await proxy.poison(SILENCE);
    const { unpinned } = await admit({ web: through(proxy) }, '3s');
    expect(unpinned).toEqual({ web: 'deadline_exceeded' });
    await proxy.heal();
    expect(await atLast(proxy)).toEqual({ web: pinned(proxy) });
  });

  it('fault 19: half a second of latency → pinned', async () => {
    const proxy = await toxiproxy.before(registry.host);
    await proxy.poison({ type: 'latency', attributes: { latency: 500, jitter: 50 } });
    expect(await atLast(proxy)).toEqual({ web: pinned(proxy) });
  });

  it('fault 21: kept connections are reset between two reviews → pinned, on fresh ones', async () => {
    const proxy = await toxiproxy.before(registry.host);
    expect(await atLast(proxy)).toEqual({ web: pinned(proxy) });
    await proxy.setUp(false);
    await proxy.setUp(true);
    expect((await admit({ web: through(proxy) })).images).toEqual({ web: pinned(proxy) });
  });

  it('fault 21: every connection is reset → unavailable, then pinned', async () => {
    const proxy = await toxiproxy.before(registry.host);
    await proxy.poison({ type: 'reset_peer', attributes: { timeout: 0 } });
    expect((await admit({ web: through(proxy) })).unpinned).toEqual({ web: 'unavailable' });
    await proxy.heal();
    expect(await atLast(proxy)).toEqual({ web: pinned(proxy) });
  });

  it('fault 52: the registry is down, then up → unavailable, then pinned', async () => {
    const proxy = await toxiproxy.before(registry.host);
    await proxy.setUp(false);
    expect((await admit({ web: through(proxy) })).unpinned).toEqual({ web: 'unavailable' });
    await proxy.setUp(true);
    expect(await atLast(proxy)).toEqual({ web: pinned(proxy) });
  });
});

describe('a real registry beside a dead one', () => {
  it('fault 58: 50 images, half of them on a host that hangs → answered in time, half are pinned', async () => {
    const [alive, dead] = [
      await toxiproxy.before(registry.host),
      await toxiproxy.before(registry.host),
    ];
    await dead.poison(SILENCE);
    // A host that has answered before keeps places, though the dead ones come first and are many.
    expect(await atLast(alive)).toEqual({ web: pinned(alive) });
    const late = Array.from({ length: 25 }, (_, n) => [`dead-${n}`, through(dead, `t${n}`)]);
    const good = Array.from({ length: 25 }, (_, n) => [`alive-${n}`, through(alive)]);
    const { images, unpinned } = await admit(Object.fromEntries([...late, ...good]), '4s');
    expect(new Set(Object.keys(unpinned))).toEqual(new Set(late.map(([name]) => name)));
    expect(new Set(Object.values(unpinned))).toEqual(new Set(['deadline_exceeded']));
    expect(new Set(good.map(([name = '']) => images[name]))).toEqual(new Set([pinned(alive)]));
  });

  it('fault 59: 100 reviews wait for a dead host → a healthy one is pinned before any of them ends', async () => {
    const [alive, dead] = [
      await toxiproxy.before(registry.host),
      await toxiproxy.before(registry.host),
    ];
    expect(await atLast(alive)).toEqual({ web: pinned(alive) });
    await dead.poison(SILENCE);
    const waiting = Array.from({ length: 100 }, (_, n) =>
      admit({ web: through(dead, `tag-${n}`) }, '5s'),
    );
    const healthy = admit({ web: through(alive) }, '5s');
    const first = await Promise.race([healthy, ...waiting]);
    expect(first.images).toEqual({ web: pinned(alive) });
    const outcomes = await Promise.all(waiting);
    expect(outcomes.every(({ unpinned }) => unpinned['web'] !== undefined)).toBe(true);
  });
});
