import { execFileSync } from 'node:child_process';
import { closeSync, mkdtempSync, openSync, rmSync, writeFileSync } from 'node:fs';
import { Agent } from 'node:https';
import { connect, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';

import { digest } from './support/admission.ts';
import { type Answered, call } from './support/call.ts';
import { type Authority, createAuthority } from './support/certificate.ts';
import { type RunningTagpin, startTagpin, startUnreadTagpin } from './support/process.ts';
import { objectOf, POD, reviewBody, specOf } from './support/review.ts';
import { type Rule, startRegistry } from './support/scripted-registry.ts';

const FOUND: Rule = { headers: { 'docker-content-digest': digest('a') } };
const MAX_LATE_LOOK_UPS = 16;
/** As many as a process of ours has open when it is idle, and some more. */
const MAX_FILES = 64;

let directory: string;
let authority: Authority;

beforeAll(async () => {
  directory = mkdtempSync(join(tmpdir(), 'tagpin-machine-'));
  authority = await createAuthority();
  const pair = await authority.issue(['127.0.0.1']);
  writeFileSync(join(directory, 'tls.crt'), pair.cert);
  writeFileSync(join(directory, 'tls.key'), pair.key);
  writeFileSync(join(directory, 'turns.mjs'), LONG_TURNS);
});
afterAll(() => rmSync(directory, { recursive: true }));

/** With a SIGUSR2 every turn of the event loop begins to take as long as is said; with the next it ends. */
const LONG_TURNS = `
  let isOn = false;
  const turn = () => {
    if (!isOn) return;
    const endMs = performance.now() + Number(process.env.TEST_TURN_MS);
    while (performance.now() < endMs);
    setImmediate(turn);
  };
  process.on('SIGUSR2', () => {
    isOn = !isOn;
    turn();
  });`;

function flags(...hosts: readonly string[]): string[] {
  return [
    '--no-cluster',
    `--tls-cert=${join(directory, 'tls.crt')}`,
    `--tls-key=${join(directory, 'tls.key')}`,
    `--plain-http=${hosts.join(',')}`,
    '--allow-address=127.0.0.0/8',
    '--drain-time=0s',
  ];
}

type Tagpin = Pick<RunningTagpin, 'webhookPort' | 'operations'>;

/** As an API server calls, by its own connections or by new ones. */
function review({ webhookPort }: Tagpin, image: string, agent?: Agent): Promise<Answered> {
  const object = objectOf(POD, { spec: specOf({ web: image }) });
  return call(webhookPort, authority.certificate, {
    path: '/admission/pin?timeout=10s',
    body: JSON.stringify(reviewBody(POD, { object })),
    ...(agent && { agent }),
  });
}

function isPinned({ status, text }: Answered): boolean {
  if (status !== 200) return false;
  const { patch = '' } = JSON.parse(text).response;
  return Buffer.from(patch, 'base64').toString().includes(digest('a'));
}

async function metric({ operations }: Tagpin, name: string): Promise<number> {
  const [, text] = await operations('/metrics');
  const line = text.split('\n').find((one) => one.startsWith(`${name} `) || one.startsWith(name));
  return Number(line?.split(' ').at(-1) ?? Number.NaN);
}

async function becomes(holds: () => Promise<boolean>): Promise<void> {
  // oxlint-disable-next-line no-await-in-loop -- one look after the other
  while (!(await holds()));
}

function withTurnsOf(ms: number): NodeJS.ProcessEnv {
  const file = join(directory, 'turns.mjs');
  return { NODE_OPTIONS: `--import=${file}`, TEST_TURN_MS: String(ms) };
}

describe('an event loop that is late', () => {
  it('puts off look-ups beyond a few, answers all else, and recovers by itself', async () => {
    await using registry = await startRegistry([FOUND]);
    await using tagpin = await startTagpin(flags(registry.host), withTurnsOf(510));
    const agent = new Agent({ keepAlive: true });
    const known = `${registry.host}/known:1`;
    let count = 0;
    const crowd = (size: number): Promise<Answered[]> =>
      Promise.all(
        Array.from({ length: size }, () => {
          count += 1;
          return review(tagpin, `${registry.host}/unknown:${count}`, agent);
        }),
      );
    try {
      // Connections stand before it begins: each would take turns, too.
      const calls = Array.from({ length: 2 * MAX_LATE_LOOK_UPS }, () => known);
      const all = await Promise.all(calls.map((image) => review(tagpin, image, agent)));
      expect(all.every(isPinned)).toBe(true);
      tagpin.signal('SIGUSR2');
      const answers: Answered[] = [];
      await becomes(async () => {
        answers.push(...(await crowd(2 * MAX_LATE_LOOK_UPS)));
        return answers.some(({ status }) => status === 503);
      });
      const refused = answers.filter(({ status }) => status !== 200);
      for (const answer of refused) {
        expect(answer).toMatchObject({
          status: 503,
          headers: { 'retry-after': '1', connection: 'close' },
        });
        expect(JSON.parse(answer.text)).toMatchObject({ reason: 'overloaded' });
      }
      const [late, ...other] = await Promise.all([
        review(tagpin, known, agent),
        ...['/healthz', '/readyz'].map((path) => tagpin.operations(path)),
      ]);
      expect(isPinned(late)).toBe(true);
      expect(other.map(([status]) => status)).toEqual([200, 200]);
      const reason = 'tagpin_admission_refused_total{reason="overloaded"}';
      expect(await metric(tagpin, reason)).toBe(refused.length);

      tagpin.signal('SIGUSR2');
      await becomes(async () => (await crowd(2 * MAX_LATE_LOOK_UPS)).every(isPinned));
    } finally {
      agent.destroy();
    }
  });

  it('is not one that never rests and comes round in time: nothing is put off', async () => {
    await using registry = await startRegistry([FOUND]);
    await using tagpin = await startTagpin(flags(registry.host), withTurnsOf(20));
    const agent = new Agent({ keepAlive: true });
    try {
      tagpin.signal('SIGUSR2');
      const busy = 'tagpin_event_loop_busy_seconds_total';
      let before = { seconds: await metric(tagpin, busy), atMs: performance.now() };
      await becomes(async () => {
        const seen = { seconds: await metric(tagpin, busy), atMs: performance.now() };
        const ratio = (1000 * (seen.seconds - before.seconds)) / (seen.atMs - before.atMs);
        before = seen;
        return ratio > 0.95;
      });
      const answers = await Promise.all(
        Array.from({ length: 4 * MAX_LATE_LOOK_UPS }, (_, n) =>
          review(tagpin, `${registry.host}/unknown:${n}`, agent),
        ),
      );
      expect(answers.map(({ status }) => status)).toEqual(answers.map(() => 200));
    } finally {
      agent.destroy();
    }
  });
});

describe('a log that nobody can take', () => {
  it.each<[string, () => number | 'pipe']>([
    ['on a full disk', () => openSync('/dev/full', 'w')],
    ['on a pipe whose reader is gone', () => 'pipe'],
  ])(
    '%s: reviews are answered, the loss is counted, and the process ends in order',
    async (_where, open) => {
      await using registry = await startRegistry([FOUND]);
      const output = open();
      await using tagpin = await startUnreadTagpin(flags(registry.host), output);
      if (output !== 'pipe') closeSync(output);
      await becomes(async () => (await tagpin.operations('/readyz'))[0] === 200);
      const agent = new Agent({ keepAlive: true, maxSockets: 8 });
      const lost = (): Promise<number> => metric(tagpin, 'tagpin_log_lost_bytes_total');
      const some = async (): Promise<void> => {
        const answers = await Promise.all(
          Array.from({ length: 200 }, () => review(tagpin, `${registry.host}/a/b:1`, agent)),
        );
        expect(answers.every(isPinned)).toBe(true);
      };
      try {
        expect(isPinned(await review(tagpin, `${registry.host}/a/b:1`, agent))).toBe(true);
        await some();
        await becomes(async () => (await lost()) > 0);
        const before = await lost();
        await some();
        await becomes(async () => (await lost()) > before + 10_000);
      } finally {
        agent.destroy();
      }
      tagpin.signal('SIGTERM');
      expect(await tagpin.ended).toMatchObject({ code: 0 });
    },
  );
});

describe('a defect', () => {
  it('ends the process on a full disk, too, where its last line cannot be written', async () => {
    const output = openSync('/dev/full', 'w');
    const defect = `process.on('SIGUSR2', () => { throw new Error('a defect'); });`;
    const env = { NODE_OPTIONS: `--import="data:text/javascript,${defect}"` };
    await using tagpin = await startUnreadTagpin(flags('none.example.com'), output, env);
    closeSync(output);
    tagpin.signal('SIGUSR2');
    expect(await tagpin.ended).toMatchObject({ code: 1 });
  });
});

describe('file descriptors that are all in use', () => {
  it('leave calls on open connections answered, name what ran out, and are no fault of a registry', async () => {
    await using registry = await startRegistry([FOUND]);
    await using other = await startRegistry([FOUND]);
    const byName = `localhost:${other.port}`;
    const hosts = [registry.host, other.host, byName];
    await using tagpin = await startTagpin([...flags(...hosts), '--skip=none']);
    await becomes(async () => (await tagpin.operations('/readyz'))[0] === 200);
    const agent = new Agent({ keepAlive: true, maxSockets: 1 });
    const callers: Socket[] = [];
    try {
      expect(isPinned(await review(tagpin, `${registry.host}/a/b:1`, agent))).toBe(true);
      execFileSync('prlimit', [`--pid=${tagpin.pid}`, `--nofile=${MAX_FILES}:`]);
      const refused = Promise.withResolvers<void>();
      for (let count = 0; count < MAX_FILES; count += 1) {
        const socket = connect(tagpin.webhookPort, '127.0.0.1');
        socket.on('error', () => {}).once('close', () => refused.resolve());
        callers.push(socket);
      }
      await refused.promise;

      expect(isPinned(await review(tagpin, `${registry.host}/a/b:1`, agent))).toBe(true);
      for (const host of [other.host, byName]) {
        // oxlint-disable-next-line no-await-in-loop -- one connection
        const { text } = await review(tagpin, `${host}/a/b:1`, agent);
        expect(JSON.parse(text).response).toMatchObject({
          allowed: true,
          warnings: [
            expect.stringContaining(
              `${host} is not asked: no file descriptor is left (raise the limit of open files)`,
            ),
          ],
        });
      }
      await expect(review(tagpin, `${registry.host}/a/b:1`)).rejects.toThrow(
        /disconnected|ECONNRESET|hang up/,
      );

      for (const socket of callers) socket.destroy();
      await becomes(async () => isPinned(await review(tagpin, `${other.host}/a/b:1`, agent)));
      expect(isPinned(await review(tagpin, `${byName}/a/b:1`, agent))).toBe(true);
      expect(isPinned(await review(tagpin, `${registry.host}/a/b:1`))).toBe(true);
    } finally {
      for (const socket of callers) socket.destroy();
      agent.destroy();
    }
  });
});
