import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { Agent, request as httpsRequest } from 'node:https';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { json } from 'node:stream/consumers';

import { type LocalWebhook, startLocalWebhook } from '../support/local-webhook.ts';
import type { Proxy } from '../support/toxiproxy.ts';
import { type FarRegistry, startFarRegistry } from './far-registry.ts';
import type { Part, Row } from './result.ts';
import { podReview } from './reviews.ts';
import { interleaved, ratiosOf } from './rounds.ts';

/**
 * What a person waits for where nothing is cached: reviews of a registry some way off, counted in
 * round trips to it, each of them measured in the same rounds.
 */
const ROUND_TRIP_MS = 40;
const ROUNDS = 15;
const IMAGES = [1, 3, 10];
const REPOSITORIES = Array.from({ length: Math.max(...IMAGES) }, (_, n) => `team/app-${n}`);
/** Somebody has pulled this one before: its host has answered, and has given a token for no other. */
const KNOWN = 'team/known';
const TAG = '1.0';
/**
 * With the round trip of a TCP handshake the second would be 5.3: the handshake ends at toxiproxy,
 * which delays bytes and no handshakes.
 */
const GOALS = { warm: 1.15, cold: 4.3 };

export const benchCold: Part = async () => {
  const directory = mkdtempSync(join(tmpdir(), 'tagpin-cold-'));
  const repositories = [...REPOSITORIES, KNOWN];
  const setting = { directory, repositories, tags: [TAG], roundTripMs: ROUND_TRIP_MS };
  const registry = await startFarRegistry(setting);
  process.env['NODE_EXTRA_CA_CERTS'] = registry.authorityFile;
  // A digest is fresh for no time at all: each review asks.
  const webhook = await startLocalWebhook(['--cache-ttl=0s']);
  const agent = new Agent({ ca: readFileSync(registry.authorityFile), keepAlive: true });
  try {
    const standing = await registry.anotherHost();
    const token = await tokenOf(standing.host, agent);
    const url = manifestUrl(standing.host);
    const contenders = {
      handshake: () => timed(() => shakeHands(standing.host)),
      trip: () => timed(() => ask(url, agent, token)),
      ...Object.fromEntries(
        IMAGES.flatMap((count) => contendersOf(count, { registry, webhook, standing })),
      ),
    };
    // The first round warms the code, and is thrown away.
    const found = await interleaved<string, number>(1 + ROUNDS, contenders);
    return { part: 'cold', text: TEXT, rows: rowsOf(found) };
  } finally {
    agent.destroy();
    await webhook.stop();
    await registry.stop();
    rmSync(directory, { recursive: true });
  }
};

const TEXT = `Reviews of images that are not cached, of a distribution registry over TLS with tokens of the same host, which toxiproxy puts ${ROUND_TRIP_MS} ms away; ${ROUNDS} rounds, in turns with a HEAD over a connection that stands and with its token: that is the round trip. toxiproxy delays bytes and not the TCP handshake, so a new connection costs one round trip less here than over a network. Ten images are two waves, as a namespace has 8 look-ups under way at most.`;

interface Setting {
  readonly registry: FarRegistry;
  readonly webhook: LocalWebhook;
  /** To which the connections stand, and for which tokens are kept. */
  readonly standing: Proxy;
}

type Contender = readonly [string, () => Promise<number>];

function contendersOf(count: number, { registry, webhook, standing }: Setting): Contender[] {
  const review = (host: string): Promise<void> =>
    pinAll(
      webhook,
      REPOSITORIES.slice(0, count).map((name) => `${host}/${name}:${TAG}`),
    );
  return [
    [
      `warm ${count}`,
      async () => {
        await review(standing.host);
        return timed(() => review(standing.host));
      },
    ],
    [
      `cold ${count}`,
      async () => {
        const proxy = await registry.anotherHost();
        await pinAll(webhook, [`${proxy.host}/${KNOWN}:${TAG}`]);
        await proxy.setUp(false);
        await proxy.setUp(true);
        return timed(() => review(proxy.host));
      },
    ],
    [
      `unknown ${count}`,
      async () => {
        const proxy = await registry.anotherHost();
        return timed(() => review(proxy.host));
      },
    ],
  ];
}

/** One review; all of its images must come out pinned. */
async function pinAll(webhook: LocalWebhook, images: readonly string[]): Promise<void> {
  const { response } = await webhook.send('pin', podReview(images));
  const patch = Buffer.from(response.patch ?? '', 'base64').toString();
  const pinned = patch.match(/\/image"/g)?.length ?? 0;
  if (pinned !== images.length) {
    throw new Error(
      `${pinned} of ${images.length} images are pinned: ${response.warnings?.join('; ')}`,
    );
  }
}

async function timed(act: () => Promise<unknown>): Promise<number> {
  const started = performance.now();
  await act();
  return performance.now() - started;
}

async function shakeHands(host: string): Promise<void> {
  const { hostname, port } = new URL(`https://${host}`);
  const socket = connect(Number(port), hostname);
  await once(socket, 'connect');
  socket.destroy();
}

function manifestUrl(host: string): string {
  return `https://${host}/v2/${KNOWN}/manifests/${TAG}`;
}

/** As anybody gets it who asks the token server by hand. */
async function tokenOf(host: string, agent: Agent): Promise<string> {
  const scope = encodeURIComponent(`repository:${KNOWN}:pull`);
  const request = httpsRequest(`https://${host}/token?service=registry&scope=${scope}`, { agent });
  const [response] = (await once(request.end(), 'response')) as [NodeJS.ReadableStream];
  return ((await json(response)) as { readonly token: string }).token;
}

async function ask(url: string, agent: Agent, token: string): Promise<void> {
  const headers = {
    accept: 'application/vnd.oci.image.index.v1+json',
    authorization: `Bearer ${token}`,
  };
  await new Promise<void>((resolve, reject) => {
    const request = httpsRequest(url, { agent, method: 'HEAD', headers }, (response) => {
      response.resume();
      response.once('end', () => {
        if (response.statusCode === 200) resolve();
        else reject(new Error(`The registry answered ${response.statusCode}`));
      });
    });
    request.once('error', reject);
    request.end();
  });
}

/** How far each is from what was known before. */
const KINDS = {
  warm: 'connection and token warm',
  cold: 'connection cold, no token',
  unknown: 'a host never seen before',
};

function rowsOf(found: Readonly<Record<string, readonly number[]>>): Row[] {
  const of = (name: string): number[] => (found[name] ?? []).slice(1);
  const trips = of('trip');
  const rows = (['warm', 'cold', 'unknown'] as const).flatMap((kind) =>
    IMAGES.flatMap((count): Row[] => {
      const what = `${count} ${count === 1 ? 'image' : 'images'}, ${KINDS[kind]}`;
      const times = of(`${kind} ${count}`);
      const hasGoal = kind !== 'unknown' && count !== 10;
      return [
        {
          what,
          unit: 'round trips',
          digits: 2,
          values: ratiosOf(times, trips),
          ...(hasGoal && { goal: { atMost: GOALS[kind] } }),
        },
        { what, unit: 'ms', digits: 1, values: times },
      ];
    }),
  );
  return [
    ...rows,
    { what: 'one round trip: a HEAD over a warm connection', unit: 'ms', digits: 1, values: trips },
    { what: 'a TCP handshake through toxiproxy', unit: 'ms', digits: 2, values: of('handshake') },
  ];
}
