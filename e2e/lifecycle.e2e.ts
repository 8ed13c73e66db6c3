import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';

import { type ScriptedRegistry, startRegistry } from '../test/support/scripted-registry.ts';
import { type ApiServer, connectTo } from './support/api-server.ts';
import { readEnvironment } from './support/environment.ts';
import { eventually } from './support/eventually.ts';
import type { Kubectl } from './support/kubectl.ts';
import { type Made, PodMaker } from './support/pod-maker.ts';
import { type Replica, Replicas } from './support/replicas.ts';
import { fill, type SlowRegistry, startSlowRegistry } from './support/slow-callers.ts';
import { TestImage } from './support/test-image.ts';
import { createNamespace } from './support/test-namespace.ts';
import type { StoredObject } from './support/workload.ts';

const environment = readEnvironment();
const { kubeconfig, registry } = environment;

const DIGEST = `sha256:${'5a'.repeat(32)}`;
const MODES = ['pin', 'enforce'] as const;
type Mode = (typeof MODES)[number];

/** Of each image. */
const MAKERS_A_NAMESPACE = 2;
/** At the same time. */
const CALLS_A_NAMESPACE = 9;
/** Of 1,000 places, when each namespace has as many as it leaves to others: none has room for more. */
const FULL = [500, 250, 125, 62, 31];

const DECISIONS = 'tagpin_admission_requests_total';

let replicas: Replicas;
let image: TestImage;
/** It by its digest. */
let pinnedImage: string;
let namespaces: Readonly<Record<Mode, Kubectl>>;
let apiServer: ApiServer;

beforeAll(async () => {
  // The drain that a cluster has; it has to outlast the time for which an endpoint is still called.
  replicas = await Replicas.start(environment, 3, ['--plain-http=127.0.0.1:*', '--drain-time=10s']);
  image = await TestImage.ofOnePlatform(registry);
  pinnedImage = await image.pinned();
  const [pin, enforce] = await Promise.all(
    MODES.map((mode) => createNamespace(kubeconfig, { mode })),
  );
  namespaces = { pin: pin!, enforce: enforce! };
  apiServer = connectTo(kubeconfig, 4 * CALLS_A_NAMESPACE);
});

afterAll(async () => {
  await replicas.stop();
  apiServer.close();
});

function totalOf({ pinned, unpinned, failures }: Made): number {
  return pinned + unpinned + failures.length;
}

function failuresOf({ failures }: Made): readonly string[] {
  return failures;
}

function sumOf(counts: readonly number[]): number {
  return counts.reduce((sum, count) => sum + count, 0);
}

/** Until each has made so many more. */
async function untilMade(makers: readonly PodMaker[], more: number): Promise<void> {
  const goals = makers.map(({ made }) => totalOf(made) + more);
  await eventually(() => {
    makers.forEach(({ made }, index) => {
      expect(totalOf(made)).toBeGreaterThanOrEqual(goals[index] ?? 0);
    });
  });
}

interface Attempt {
  readonly mode: Mode;
  readonly outcome: 'pinned' | 'unpinned' | 'refused';
  readonly said: string;
}

/** Makes one Pod. */
async function make(mode: Mode, tagged: string): Promise<Attempt> {
  const pod = { containers: [{ name: 'web', image: tagged }] };
  const { status, text } = await apiServer.send(
    'POST',
    `/api/v1/namespaces/${namespaces[mode].namespace}/pods`,
    JSON.stringify({ metadata: { generateName: 'one-' }, spec: pod }),
  );
  const made = text.includes('@sha256:') ? 'pinned' : 'unpinned';
  return { mode, outcome: status === 201 ? made : 'refused', said: text };
}

function refusedByPolicy(text: string): boolean {
  return text.includes('ValidatingAdmissionPolicy') && text.includes('[unpinned]');
}

async function unpinnedIn(kubectl: Kubectl): Promise<number> {
  const { items } = await kubectl.get<{ items: StoredObject[] }>('pods');
  return items.filter((pod) => !JSON.stringify(pod.spec).includes('@sha256:')).length;
}

function say(text: string): void {
  process.stderr.write(`e2e: ${text}\n`);
}

/** What is made while something happens, by makers without pause in both namespaces. */
async function madeWhile(
  images: readonly string[],
  happening: (makers: readonly PodMaker[]) => Promise<void>,
): Promise<readonly Made[]> {
  const makers = MODES.flatMap((mode) =>
    images.flatMap((one) =>
      Array.from({ length: MAKERS_A_NAMESPACE }, () => new PodMaker(namespaces[mode], one)),
    ),
  );
  try {
    await untilMade(makers, 5);
    await happening(makers);
    await untilMade(makers, 5);
  } finally {
    await Promise.all(makers.map((maker) => maker.stop()));
  }
  return makers.map(({ made }) => made);
}

describe('a rolling restart of three replicas while Pods are made', () => {
  it('fails none and leaves none unpinned, in pin and in enforce, and each old replica ends well', async () => {
    let calledOn = 0;
    // As a Deployment has it that surges: one more, and then one less, which is called on for a while.
    const made = await madeWhile([image.tagged], async (makers) => {
      const ends: Promise<unknown>[] = [];
      for (const old of replicas.endpoints) {
        await replicas.add();
        replicas.favour(old);
        const before = await old.metric(DECISIONS);
        ends.push(old.terminate());
        await untilMade(makers, 10);
        calledOn += (await old.metric(DECISIONS)) - before;
        replicas.withdraw(old);
      }
      expect(await Promise.all(ends)).toEqual([0, 0, 0]);
    });

    const total = sumOf(made.map(totalOf));
    say(`rolling restart: ${total} Pods made, ${calledOn} calls answered after a SIGTERM`);
    expect(calledOn).toBeGreaterThan(0);
    expect(made.flatMap(({ failures }) => failures)).toEqual([]);
    expect(made.map(({ unpinned }) => unpinned)).toEqual(made.map(() => 0));
  });
});

function makeInBoth(imageOf: (number: number) => string): Promise<Attempt>[] {
  const numbers = Array.from({ length: CALLS_A_NAMESPACE }, (_, number) => number);
  return MODES.flatMap((mode) => numbers.map((number) => make(mode, imageOf(number))));
}

/** The replica that has most of them in flight, once there are so many. */
async function busiest(calls: number): Promise<{ victim: Replica; inFlight: number }> {
  return eventually(async () => {
    const counts = await Promise.all(
      replicas.endpoints.map(async (replica) => ({
        victim: replica,
        inFlight: await replica.metric('tagpin_admission_in_flight'),
      })),
    );
    expect(counts.reduce((sum, { inFlight }) => sum + inFlight, 0)).toBeGreaterThanOrEqual(calls);
    return counts.toSorted((a, b) => b.inFlight - a.inFlight)[0]!;
  });
}

/** Calls with a digest that nobody answers: all replicas stand still, and more connections go to one. */
async function callInVain(victim: Replica): Promise<Promise<Attempt>[]> {
  for (const replica of replicas.endpoints) replica.signal('SIGSTOP');
  const connections = replicas.favour(victim);
  const calls = makeInBoth(() => pinnedImage);
  await eventually(() => expect(connections()).toBeGreaterThan(0));
  return calls;
}

describe('a replica that is killed while Pods are made', () => {
  const release = Promise.withResolvers<undefined>();
  let slow: ScriptedRegistry;

  beforeAll(async () => {
    const found = { headers: { 'docker-content-digest': DIGEST } };
    slow = await startRegistry([{ ...found, hold: release.promise }]);
  });
  afterAll(async () => {
    await slow[Symbol.asyncDispose]();
  });

  it('costs the calls that it had in flight, and no Pod that is pinned; enforce stores no tag', async () => {
    const byTag: Attempt[] = [];
    const byDigest: Attempt[] = [];
    let known = 0;
    const made = await madeWhile([pinnedImage, image.tagged], async () => {
      const held = makeInBoth((number) => `${slow.host}/held:${number}`);
      const { victim, inFlight } = await busiest(held.length);
      known = inFlight;
      const inVain = await callInVain(victim);
      replicas.withdraw(victim);
      await victim.kill();
      release.resolve(undefined);
      for (const replica of replicas.endpoints) replica.signal('SIGCONT');
      byTag.push(...(await Promise.all(held)));
      byDigest.push(...(await Promise.all(inVain)));
    });

    const ofTags = made.filter((_, at) => at % (2 * MAKERS_A_NAMESPACE) >= MAKERS_A_NAMESPACE);
    const ofDigests = made.filter((one) => !ofTags.includes(one));
    const lost = byTag.filter(({ outcome }) => outcome !== 'pinned');
    const lostByMakers = ofTags.map(({ unpinned, failures }) => unpinned + failures.length);
    const [inPin, inEnforce] = MODES.map((mode) => lost.filter((one) => one.mode === mode));
    say(
      `a replica killed with ${known} look-ups in flight, and calls of ${made.length} makers: ` +
        `${inPin!.length} Pods unpinned in pin, ${inEnforce!.length} refused in enforce, ` +
        `and ${sumOf(lostByMakers)} of the makers; ${sumOf(made.map(totalOf))} Pods made`,
    );
    expect(lost.length).toBeGreaterThan(0);
    // Each maker has one call in flight.
    expect(lost.length).toBeLessThanOrEqual(known + made.length);
    for (const count of lostByMakers) expect(count).toBeLessThanOrEqual(1);
    expect(inPin!.filter(({ outcome }) => outcome !== 'unpinned')).toEqual([]);
    const refusals = [...inEnforce!.map(({ said }) => said), ...ofTags.flatMap(failuresOf)];
    expect(refusals.filter((said) => !refusedByPolicy(said))).toEqual([]);
    for (const one of ofDigests) expect(one).toMatchObject({ unpinned: 0, failures: [] });
    expect(new Set(byDigest.map(({ outcome }) => outcome))).toEqual(new Set(['pinned']));
    expect(await unpinnedIn(namespaces.enforce)).toBe(0);
  });
});

describe('a replica that is full', () => {
  const REFUSED = 'tagpin_admission_refused_total';
  const OVERLOADED = { reason: 'overloaded' };
  let only: Replica;
  let slow: SlowRegistry;
  /** Those of the test come first, and have so much that an answer or two make no room. */
  let full: readonly string[];
  let hangUp: (() => void) | undefined;

  beforeAll(async () => {
    const more = await Promise.all(FULL.slice(2).map(() => createNamespace(kubeconfig)));
    full = [namespaces.enforce, namespaces.pin, ...more].map(({ namespace }) => namespace!);
    const [first, ...others] = replicas.endpoints;
    only = first!;
    for (const other of others) {
      replicas.withdraw(other);
      await other.kill();
    }
  });
  beforeEach(async () => {
    slow = await startSlowRegistry(DIGEST);
  });
  afterEach(async () => {
    hangUp?.();
    await slow[Symbol.asyncDispose]();
  });

  async function fillWith(imageOf: (number: number) => string): Promise<void> {
    const { certificateFile } = environment.webhook;
    const callers = full.map((namespace, at) => ({ namespace, count: FULL[at] ?? 0, imageOf }));
    hangUp = await fill(only, certificateFile, callers);
  }

  it('is called again a second later, and then pins', async () => {
    // Sixty look-ups, of which a registry gives no more than sixteen at once.
    await fillWith((number) => `${slow.host}/full/${number % 60}:1`);
    const unknown = await TestImage.ofOnePlatform(registry);
    const before = await only.metric(DECISIONS, { mode: 'enforce' });
    const attempt = make('enforce', unknown.tagged);
    const putOff = await eventually(async () => {
      const count = await only.metric(REFUSED, OVERLOADED);
      expect(count).toBeGreaterThan(0);
      return count;
    });
    slow.hurry();

    expect(await attempt).toMatchObject({ outcome: 'pinned' });
    expect(await only.metric(DECISIONS, { mode: 'enforce' })).toBe(before + 1);
    say(`put off with 503 ${putOff} times, then pinned`);
  });

  it('is called again for as long as the call may take, and then enforce stores no tag', async () => {
    // Each waits for a look-up of its own.
    await fillWith((number) => `${slow.host}/full/${number}:2`);
    const before = await only.metric(REFUSED, OVERLOADED);
    // What the replica knows by now it answers, however full it is.
    expect(await make('enforce', image.tagged)).toMatchObject({ outcome: 'pinned' });
    const unknown = await TestImage.ofOnePlatform(registry);
    const startedMs = performance.now();
    const attempts = await Promise.all(MODES.map((mode) => make(mode, unknown.tagged)));
    const seconds = ((performance.now() - startedMs) / 1000).toFixed(1);
    const calls = (await only.metric(REFUSED, OVERLOADED)) - before;

    say(`two Pods put off with 503 for all of ${seconds} s: ${calls} calls`);
    expect(attempts.map(({ outcome }) => outcome)).toEqual(['unpinned', 'refused']);
    expect(refusedByPolicy(attempts[1]!.said)).toBe(true);
    expect(calls).toBeGreaterThan(2 * 2);
    // client-go, rest/request.go: ten retries at most.
    expect(calls).toBeLessThanOrEqual(2 * 11);
    expect(await unpinnedIn(namespaces.enforce)).toBe(0);
  });
});
