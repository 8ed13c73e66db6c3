import { randomBytes } from 'node:crypto';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';

import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';

import { readEnvironment } from './support/environment.ts';
import { eventually } from './support/eventually.ts';
import { type LocalWebhook, startLocalWebhook } from './support/local-webhook.ts';
import { sumSeries } from './support/metrics.ts';
import { type RedisServer, startRedisServer } from './support/redis-server.ts';
import { TestImage } from './support/test-image.ts';

const { registry, directory: runDirectory } = readEnvironment();

/** For a download of Debian's package, once. */
const DOWNLOAD_TIMEOUT_MS = 180_000;

let directory: string;
let redis: RedisServer;
let one: LocalWebhook;
let other: LocalWebhook;

function replica(...settings: readonly string[]): Promise<LocalWebhook> {
  return startLocalWebhook([
    `--plain-http=${registry.host}`,
    `--shared-cache=rediss://${redis.username}@127.0.0.1:${redis.port}`,
    `--shared-cache-password-file=${join(directory, 'password')}`,
    `--shared-cache-ca=${redis.caFile}`,
    `--installation-key-file=${join(directory, 'key')}`,
    ...settings,
  ]);
}

beforeAll(async () => {
  directory = await mkdtemp(join(runDirectory, 'shared-cache-'));
  redis = await startRedisServer();
  await writeFile(join(directory, 'key'), randomBytes(32));
  await writeFile(join(directory, 'password'), `${redis.password}\n`);
  [one, other] = await Promise.all([replica(), replica()]);
  await Promise.all([connected(one), connected(other)]);
}, DOWNLOAD_TIMEOUT_MS);

afterAll(async () => {
  await Promise.all([one.stop(), other.stop()]);
  await redis.stop();
  await rm(directory, { recursive: true });
});

/** The image of a new Pod after a review; its tag where it was not pinned. */
async function admit(webhook: LocalWebhook, image: string): Promise<string> {
  const { response } = await webhook.send('pin', {
    apiVersion: 'admission.k8s.io/v1',
    kind: 'AdmissionReview',
    request: {
      uid: 'e2e-shared-cache',
      kind: { group: '', version: 'v1', kind: 'Pod' },
      operation: 'CREATE',
      namespace: 'shared-cache',
      name: 'web',
      object: { metadata: { name: 'web' }, spec: { containers: [{ name: 'web', image }] } },
    },
  });
  expect(response.allowed).toBe(true);
  const patch = Buffer.from(response.patch ?? '', 'base64').toString() || '[]';
  const operations = JSON.parse(patch) as { readonly path: string; readonly value: unknown }[];
  const written = operations.find(({ path }) => path === '/spec/containers/0/image')?.value;
  return typeof written === 'string' ? written : image;
}

async function counted(webhook: LocalWebhook, operation: string, result: string): Promise<number> {
  const name = 'tagpin_shared_cache_requests_total';
  return sumSeries(await webhook.metrics(), name, { operation, result });
}

/** Until it is used: a replica is ready without it. */
async function connected(webhook: LocalWebhook): Promise<void> {
  await eventually(async () => {
    const image = await TestImage.ofOnePlatform(registry);
    const before = await counted(webhook, 'read', 'miss');
    await admit(webhook, image.tagged);
    expect(await counted(webhook, 'read', 'miss')).toBe(before + 1);
  });
}

/** An image that the first replica has looked up and told, and the name of its entry. */
async function toldByOne(): Promise<{ readonly image: TestImage; readonly entry: string }> {
  await redis.command('FLUSHALL');
  const image = await TestImage.ofOnePlatform(registry);
  expect(await admit(one, image.tagged)).toBe(await image.pinned());
  const entry = await eventually(async () => {
    const [name = '', ...more] = (await redis.command('KEYS', '*')).split('\n');
    expect([name, more]).toEqual([expect.stringMatching(/^tagpin:1:/), []]);
    return name;
  });
  return { image, entry };
}

describe('two replicas with a shared cache over TLS', () => {
  it('ask a registry once', async () => {
    const { image } = await toldByOne();
    const hits = await counted(other, 'read', 'hit');
    expect(await admit(other, image.tagged)).toBe(await image.pinned());
    expect(await admit(other, image.tagged)).toBe(await image.pinned());
    expect(await image.lookUps()).toBe(1);
    // The second review of it was answered from the replica's own memory.
    expect(await counted(other, 'read', 'hit')).toBe(hits + 1);
  });

  it('tell a reader of the server neither image nor digest, and forget after the fresh time', async () => {
    const { image, entry } = await toldByOne();
    const value = await redis.command('GET', entry);
    const told = `${entry} ${value} ${Buffer.from(value, 'base64url').toString('latin1')}`;
    const digest = await image.digest();
    for (const secret of [image.repository, registry.host, digest, digest.slice(7, 27)]) {
      expect(told).not.toContain(secret);
    }
    const ttlMs = Number(await redis.command('PTTL', entry));
    expect(ttlMs).toBeGreaterThan(0);
    expect(ttlMs).toBeLessThanOrEqual(60_000);
  });

  it.each<[string, (entry: string, value: string) => readonly string[]]>([
    ['a value with another character', (entry, value) => ['SET', entry, turned(value)]],
    ['a value that nobody sealed', (entry) => ['SET', entry, 'sha256:'.padEnd(71, '0')]],
    ['a value of two megabytes', (entry) => ['SETRANGE', entry, '2000000', 'x']],
  ])('believe no planted entry: %s', async (_what, plant) => {
    const { image, entry } = await toldByOne();
    const rejected = await counted(other, 'read', 'rejected');
    await redis.command(...plant(entry, await redis.command('GET', entry)));
    expect(await admit(other, image.tagged)).toBe(await image.pinned());
    expect(await image.lookUps()).toBe(2);
    expect(await counted(other, 'read', 'rejected')).toBe(rejected + 1);
  });

  it('believe no entry of another image', async () => {
    const first = await toldByOne();
    const value = await redis.command('GET', first.entry);
    const second = await toldByOne();
    const rejected = await counted(other, 'read', 'rejected');
    await redis.command('SET', second.entry, value);
    expect(await admit(other, second.image.tagged)).toBe(await second.image.pinned());
    expect(await counted(other, 'read', 'rejected')).toBe(rejected + 1);
  });

  it('ask the registry where an entry is no text, and use the server on', async () => {
    const { image, entry } = await toldByOne();
    await redis.command('DEL', entry);
    await redis.command('LPUSH', entry, 'x');
    const errors = await counted(other, 'read', 'error');
    expect(await admit(other, image.tagged)).toBe(await image.pinned());
    expect(await counted(other, 'read', 'error')).toBe(errors + 1);
    expect(sumSeries(await other.metrics(), 'tagpin_shared_cache_gated')).toBe(0);
  });

  it('share nothing with a replica of another key, or of other settings', async () => {
    await writeFile(join(directory, 'another-key'), randomBytes(32));
    const strangers = await Promise.all([
      replica(`--installation-key-file=${join(directory, 'another-key')}`),
      replica(`--verify-by-digest=${registry.host}`),
    ]);
    try {
      for (const stranger of strangers) {
        await connected(stranger);
        const { image } = await toldByOne();
        expect(await admit(stranger, image.tagged)).toBe(await image.pinned());
        expect(await counted(stranger, 'read', 'hit')).toBe(0);
        expect(await counted(stranger, 'read', 'rejected')).toBe(0);
      }
    } finally {
      await Promise.all(strangers.map((stranger) => stranger.stop()));
    }
  });
});

/** New connections need it; those that are there are ended. */
async function changePassword(password: string): Promise<void> {
  await redis.command('ACL', 'SETUSER', redis.username, 'resetpass', `>${password}`);
  await redis.command('CLIENT', 'KILL', 'USER', redis.username);
}

describe('a password that changes', () => {
  it('is told in the log without it while it is wrong, and read again', async () => {
    const file = join(directory, 'password');
    await changePassword('another-not-a-secret');
    await eventually(async () => {
      expect(await one.log()).toContain('it answered WRONGPASS');
    });
    await writeFile(file, 'another-not-a-secret');
    await Promise.all([connected(one), connected(other)]);
    expect(await one.log()).not.toContain('not-a-secret');
    await writeFile(file, redis.password);
    await changePassword(redis.password);
    await Promise.all([connected(one), connected(other)]);
  });
});

/** Another text of the same length. */
function turned(value: string): string {
  return (value.startsWith('A') ? 'B' : 'A') + value.slice(1);
}

const TAGS = 1500;
let sent = 0;

/** Four senders of new Pods with tags that no replica knows yet, until told to stop. */
function load(image: TestImage, pinned: string) {
  const unpinned: string[] = [];
  const over = new AbortController();
  const send = async (webhook: LocalWebhook): Promise<void> => {
    while (!over.signal.aborted) {
      const tag = `${image.name}:load-${sent++ % TAGS}`;
      // oxlint-disable-next-line no-await-in-loop -- one after the other
      const given = await admit(webhook, tag);
      if (given !== pinned) unpinned.push(given);
    }
  };
  const senders = [one, one, other, other].map(send);
  return {
    unpinned,
    sentBy: async (count: number) => {
      const goal = sent + count;
      await eventually(() => expect(sent).toBeGreaterThan(goal));
    },
    stop: async () => {
      over.abort();
      await Promise.all(senders);
    },
  };
}

describe('a shared cache that goes away under load', () => {
  let image: TestImage;

  beforeAll(async () => {
    image = await TestImage.ofOnePlatform(registry);
    await image.tagAs(Array.from({ length: TAGS }, (_, n) => `load-${n}`));
  });

  it.each<[string, () => Promise<void>, () => Promise<void>]>([
    ['is killed', () => redis.kill(), () => redis.start()],
    ['hangs', async () => redis.signal('SIGSTOP'), async () => redis.signal('SIGCONT')],
  ])('fails no review when the server %s, and is used again', async (_what, leave, comeBack) => {
    const running = load(image, await image.pinned());
    try {
      await running.sentBy(50);
      await leave();
      await eventually(async () => {
        for (const webhook of [one, other]) {
          expect(sumSeries(await webhook.metrics(), 'tagpin_shared_cache_gated')).toBe(1);
        }
      });
      await running.sentBy(50);
      await comeBack();
      await eventually(async () => {
        for (const webhook of [one, other]) {
          expect(sumSeries(await webhook.metrics(), 'tagpin_shared_cache_gated')).toBe(0);
        }
      });
      await running.sentBy(50);
    } finally {
      await running.stop();
    }
    expect(running.unpinned).toEqual([]);
    await Promise.all([connected(one), connected(other)]);
    const { image: told } = await toldByOne();
    const hits = await counted(other, 'read', 'hit');
    expect(await admit(other, told.tagged)).toBe(await told.pinned());
    expect(await counted(other, 'read', 'hit')).toBe(hits + 1);
  });

  it('tells so in the log, not with each trial, and never a password', async () => {
    const log = await one.log();
    const changes = log.split('\n').filter((line) => line.includes('"msg":"shared cache '));
    const absences = changes.filter((line) => line.includes('left alone'));
    expect(absences.length).toBeGreaterThanOrEqual(2);
    // However many trials there were, each reason of an absence is a line.
    expect(absences.length).toBeLessThan(20);
    expect(log).not.toContain(redis.password);
    expect(await one.metrics()).not.toContain(redis.password);
  });
});

describe('a replica whose shared cache is not there', () => {
  it('becomes ready, and pins', async () => {
    const alone = await replica('--shared-cache=rediss://127.0.0.1:1');
    try {
      const image = await TestImage.ofOnePlatform(registry);
      expect(await admit(alone, image.tagged)).toBe(await image.pinned());
      expect(await counted(alone, 'read', 'skipped')).toBe(1);
      await eventually(async () => {
        expect(await alone.log()).toContain('ECONNREFUSED');
      });
    } finally {
      await alone.stop();
    }
  });
});
