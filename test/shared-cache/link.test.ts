import { afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals';

import type { Connection } from '../../src/shared-cache/connection.ts';
import { createLink, type Link } from '../../src/shared-cache/link.ts';
import { createRecordedLog } from '../support/recorded-log.ts';

/** A connection that is lost when it is told to. */
class Scripted implements Connection {
  readonly #lost: PromiseWithResolvers<unknown> = Promise.withResolvers();
  isClosed = false;
  readonly lost: Promise<unknown> = this.#lost.promise;
  read = (): Promise<string> => Promise.resolve('');
  write = (): Promise<void> => Promise.resolve();
  close = (): void => void (this.isClosed = true);
  lose(why: string): void {
    this.#lost.resolve(new Error(why));
  }
}

let attempts: number;
let script: (Connection | Error)[];
let gated: boolean[];
let lines: readonly string[];
let link: Link;

beforeEach(() => {
  jest.useFakeTimers();
  attempts = 0;
  script = [];
  gated = [];
  const recorded = createRecordedLog();
  lines = recorded.lines;
  link = createLink({
    connect: async () => {
      attempts += 1;
      const next = script.shift() ?? new Error('nobody there');
      if (next instanceof Error) throw next;
      return next;
    },
    observe: (isLeftAlone) => gated.push(isLeftAlone),
    log: recorded.log,
    address: 'cache.example.com:6379',
    random: () => 0,
  });
});

afterEach(() => {
  link.close();
  jest.useRealTimers();
});

/** Lets promises go on, and timers up to then. */
const pass = (ms: number): Promise<void> => jest.advanceTimersByTimeAsync(ms);

async function connected(): Promise<Scripted> {
  const connection = new Scripted();
  script.push(connection);
  link.start();
  await pass(0);
  expect(link.connection()).toBe(connection);
  return connection;
}

describe('createLink()', () => {
  it('has no connection before it was made, and then that one', async () => {
    link.start();
    expect(link.connection()).toBeUndefined();
    script.push(new Scripted());
    await pass(0);
    expect(gated).toEqual([true]);
    await pass(500);
    expect(link.connection()).toBeDefined();
    expect(gated).toEqual([true, false]);
  });

  it('tries again and again, each time later, half a minute apart at most', async () => {
    link.start();
    await pass(0);
    for (const waitMs of [500, 1000, 2000, 4000, 8000, 16_000, 30_000, 30_000]) {
      const before = attempts;
      await pass(waitMs - 1);
      expect(attempts).toBe(before);
      await pass(1);
      expect(attempts).toBe(before + 1);
    }
  });

  it('leaves a server alone that was silent three times in a row, on a connection that is closed', async () => {
    const connection = await connected();
    const silence = new Error('no answer');
    link.failed(connection, silence);
    link.failed(connection, silence);
    link.answered();
    link.failed(connection, silence);
    link.failed(connection, silence);
    expect(link.connection()).toBe(connection);
    link.failed(connection, silence);
    expect(link.connection()).toBeUndefined();
    expect(connection.isClosed).toBe(true);
    link.failed(connection, silence);
    script.push(new Scripted());
    await pass(500);
    expect(link.connection()).toBeDefined();
    expect(attempts).toBe(2);
  });

  it('does not count what an earlier connection did not answer', async () => {
    const first = await connected();
    const second = new Scripted();
    first.lose('reset');
    script.push(second);
    await pass(500);
    for (let n = 0; n < 5; n += 1) link.failed(first, new Error('late'));
    first.lose('once more');
    await pass(0);
    expect(link.connection()).toBe(second);
  });

  it('waits longer after a connection on which nothing was answered, and from the start after one that was', async () => {
    const [one, two] = [await connected(), new Scripted()];
    one.lose('reset');
    script.push(two);
    await pass(500);
    two.lose('reset');
    await pass(999);
    expect(attempts).toBe(2);
    const three = new Scripted();
    script.push(three);
    await pass(1);
    expect(link.connection()).toBe(three);
    link.answered();
    three.lose('reset');
    await pass(500);
    expect(attempts).toBe(4);
  });

  it('logs changes alone, and each reason once', async () => {
    const connection = await connected();
    connection.lose('reset by peer');
    script.push(new Error('wrong password'), new Error('wrong password'));
    await pass(7500);
    script.push(new Scripted());
    await pass(30_000);
    const address = '"address":"cache.example.com:6379"';
    const leftAlone = (why: string): string =>
      `warn shared cache left alone {${address},"error":"Error: ${why}"}`;
    expect(lines).toEqual([
      `info shared cache used {${address}}`,
      leftAlone('reset by peer'),
      leftAlone('wrong password'),
      leftAlone('nobody there'),
      `info shared cache used {${address}}`,
    ]);
    expect(gated).toEqual([false, true, false]);
  });

  it('logs no more than five reasons of one absence', async () => {
    script.push(...Array.from({ length: 20 }, (_, n) => new Error(`reason ${n}`)));
    link.start();
    await pass(10 * 60_000);
    expect(lines).toHaveLength(5);
  });

  it('ends with its process: no further attempt, and a connection that comes late is closed', async () => {
    const late = Promise.withResolvers<Connection>();
    const connection = new Scripted();
    const ending = createLink({
      connect: () => late.promise,
      observe: () => {},
      log: createRecordedLog().log,
      address: '',
      random: () => 0,
    });
    ending.start();
    ending.close();
    late.resolve(connection);
    await pass(60_000);
    expect(connection.isClosed).toBe(true);
    expect(ending.connection()).toBeUndefined();
    const open = await connected();
    link.close();
    await pass(60_000);
    expect(open.isClosed).toBe(true);
    expect(attempts).toBe(1);
    expect(lines).toHaveLength(1);
  });
});
