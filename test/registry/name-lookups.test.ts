import type { LookupAddress } from 'node:dns';

import { afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals';

import {
  createNameLookups,
  type LookUpName,
  type NameQuestion,
  nameSlotsOf,
} from '../../src/registry/name-lookups.ts';

const ADDRESSES: readonly LookupAddress[] = [{ address: '8.8.8.8', family: 4 }];

/** A DNS that answers when the test says so. */
class Dns {
  readonly #open = new Map<string, (error: Error | null, addresses: LookupAddress[]) => void>();
  /** In the order in which they were asked. */
  readonly asked: string[] = [];
  readonly lookUp: LookUpName;

  constructor(slots: number) {
    this.lookUp = createNameLookups({
      slots,
      resolveName: (hostname, _options, callback) => {
        this.asked.push(hostname);
        this.#open.set(hostname, callback);
      },
    });
  }

  answer(name: string, error: Error | null = null): void {
    const tell = this.#open.get(name);
    this.#open.delete(name);
    tell?.(error, error === null ? [...ADDRESSES] : []);
  }

  /** What whoever asks is told: addresses, or the message of the failure. */
  ask(hostname: string, change: Partial<NameQuestion> = {}): Promise<unknown> {
    const question: NameQuestion = {
      hostname,
      host: hostname,
      options: { family: 0 },
      isNamed: false,
      mayBeOld: false,
      timeoutMs: 1500,
      ...change,
    };
    return new Promise((resolve) => {
      this.lookUp(question, (error, addresses) => resolve(error ?? addresses));
    });
  }

  /** Asked once, and answered. */
  async resolveOnce(name: string): Promise<void> {
    const asked = this.ask(name);
    this.answer(name);
    await asked;
  }
}

const names = (count: number): string[] =>
  Array.from({ length: count }, (_, n) => `x${n}.example.net`);

const NAME = 'h.example.com';
const NOT_IN_TIME = `${NAME} could not be looked up: its name was not resolved in time`;
const TOO_MANY = `${NAME} is not asked: too many names are being looked up`;

beforeEach(() => {
  jest.useFakeTimers();
  // At 0 an entry of lru-cache has no age.
  jest.advanceTimersByTime(1);
});

afterEach(() => {
  jest.useRealTimers();
});

describe('createNameLookups()', () => {
  it('asks once for all who want the same name of the same families', async () => {
    const dns = new Dns(8);
    const both = [dns.ask(NAME), dns.ask(NAME)];
    void dns.ask('other.example.com');
    expect(dns.asked).toEqual([NAME, 'other.example.com']);
    dns.answer(NAME);
    expect(await Promise.all(both)).toEqual([ADDRESSES, ADDRESSES]);
    void dns.ask(NAME);
    void dns.ask(NAME, { options: { family: 4 } });
    expect(dns.asked.slice(2)).toEqual([NAME, NAME]);
  });

  it('leaves names that never resolved half of the slots, however many there are', async () => {
    const dns = new Dns(8);
    await dns.resolveOnce('known.example.com');
    for (const name of names(60)) void dns.ask(name);
    expect(dns.asked.slice(1)).toEqual(names(4));
    void dns.ask('known.example.com');
    void dns.ask('named.example.com', { isNamed: true });
    expect(dns.asked.slice(5)).toEqual(['known.example.com', 'named.example.com']);
  });

  it('has no more of them under way than there are slots, known or not', () => {
    const dns = new Dns(8);
    for (const name of names(60)) void dns.ask(name, { isNamed: true });
    expect(dns.asked).toEqual(names(8));
  });

  it('serves a new name while 60 others hang, within the part of those', async () => {
    const dns = new Dns(128);
    for (const name of names(60)) void dns.ask(name);
    const asked = dns.ask(NAME);
    dns.answer(NAME);
    expect(await asked).toEqual(ADDRESSES);
  });

  it('holds a slot until DNS has answered, long after whoever asked has left', async () => {
    const dns = new Dns(2);
    const left = dns.ask(NAME);
    jest.advanceTimersByTime(1500);
    expect(await left).toMatchObject({ code: 'dns_failed', message: NOT_IN_TIME, host: NAME });
    const waiting = dns.ask('next.example.com');
    expect(dns.asked).toEqual([NAME]);
    dns.answer(NAME);
    expect(dns.asked).toEqual([NAME, 'next.example.com']);
    dns.answer('next.example.com');
    expect(await waiting).toEqual(ADDRESSES);
  });

  it('says nothing against a host that is slow to resolve', async () => {
    const asked = new Dns(2).ask(NAME);
    jest.advanceTimersByTime(1500);
    expect(await asked).toMatchObject({ asked: true, silence: undefined });
  });

  it('does not ask for a name that found no slot in time, and says so', async () => {
    const dns = new Dns(2);
    void dns.ask('hanging.example.net', { timeoutMs: 60_000 });
    const waiting = dns.ask(NAME);
    jest.advanceTimersByTime(1500);
    expect(await waiting).toMatchObject({
      code: 'dns_failed',
      message: TOO_MANY,
      asked: false,
      silence: undefined,
    });
    dns.answer('hanging.example.net');
    expect(dns.asked).toEqual(['hanging.example.net']);
  });

  it('passes the failure of DNS on as it is, to all who wait', async () => {
    const dns = new Dns(2);
    const failure = new Error('getaddrinfo ENOTFOUND');
    const both = [dns.ask(NAME), dns.ask(NAME)];
    dns.answer(NAME, failure);
    expect(await Promise.all(both)).toEqual([failure, failure]);
  });
});

describe('createNameLookups() with a name that resolved before', () => {
  it('gives the addresses of then where DNS does not answer in time', async () => {
    const dns = new Dns(2);
    await dns.resolveOnce(NAME);
    const asked = dns.ask(NAME, { mayBeOld: true });
    jest.advanceTimersByTime(1500);
    expect(await asked).toEqual(ADDRESSES);
  });

  it('gives them at once where no slot is free', async () => {
    const dns = new Dns(1);
    await dns.resolveOnce(NAME);
    void dns.ask('hanging.example.net');
    expect(await dns.ask(NAME, { mayBeOld: true })).toEqual(ADDRESSES);
    expect(dns.asked).toEqual([NAME, 'hanging.example.net']);
  });

  it.each<[string, Partial<NameQuestion>, number]>([
    ['no certificate would tell whose they are', { mayBeOld: false }, 0],
    ['they are older than an hour', { mayBeOld: true }, 3_600_001],
  ])('gives none where %s', async (_what, change, ageMs) => {
    const dns = new Dns(2);
    await dns.resolveOnce(NAME);
    jest.advanceTimersByTime(ageMs);
    const asked = dns.ask(NAME, change);
    jest.advanceTimersByTime(1500);
    expect(await asked).toMatchObject({ message: NOT_IN_TIME });
  });

  it('believes DNS when it says that there is no such name any more', async () => {
    const dns = new Dns(2);
    await dns.resolveOnce(NAME);
    const asked = dns.ask(NAME, { mayBeOld: true });
    const failure = new Error('getaddrinfo ENOTFOUND');
    dns.answer(NAME, failure);
    expect(await asked).toBe(failure);
  });
});

describe('nameSlotsOf()', () => {
  it.each<[string | undefined, number]>([
    [undefined, 2],
    ['4', 2],
    ['256', 128],
    ['1', 1],
    ['0', 1],
    ['many', 1],
    ['100000', 512],
  ])('of UV_THREADPOOL_SIZE=%s are %i', (size, slots) => {
    expect(nameSlotsOf({ UV_THREADPOOL_SIZE: size })).toBe(slots);
  });
});
