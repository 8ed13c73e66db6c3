import { describe, expect, it } from '@jest/globals';
import {
  type Arbitrary,
  array,
  assert,
  asyncProperty,
  constant,
  constantFrom,
  integer,
  nat,
  oneof,
  record,
} from 'fast-check';

import { isValid } from '../../src/certificates/certificate.ts';
import { paceOf } from '../../src/certificates/keeper.ts';
import { createReplica, type Replica } from '../../src/certificates/replica.ts';
import { type CallerTokens, createCallerTokens } from '../../src/server/caller-tokens.ts';
import {
  bareEntry,
  CertificateCluster,
  paperIssuer,
  trusts,
} from '../support/certificate-cluster.ts';
import { createRecordedLog } from '../support/recorded-log.ts';

const LIFETIMES = { leafMs: 90_000, authorityMs: 300_000 };
const PACE = paceOf(LIFETIMES);
/** API servers learn of another configuration within this time. */
const LAG_MS = 2000;
const REPLICAS = 4;

/** One process: what it knows is lost when it ends. */
interface Process {
  readonly replica: Replica;
  readonly tokens: CallerTokens;
  /** A step that was decided and not yet taken, and when it was. */
  pending: { readonly act: () => Promise<boolean>; readonly atMs: number } | undefined;
  roundAtMs: number;
}

type Event =
  | { readonly do: 'look' | 'act' | 'round' | 'restart'; readonly who: number }
  | { readonly do: 'delete Secret' };

const EVENTS = array(
  record({
    afterMs: integer({ min: 0, max: 6000 }),
    event: oneof(
      {
        weight: 60,
        arbitrary: record({
          do: constantFrom('look', 'act', 'look', 'act', 'round'),
          who: nat(REPLICAS - 1),
        }),
      },
      {
        weight: 3,
        arbitrary: record({ do: constant('restart'), who: nat(REPLICAS - 1) }),
      },
      { weight: 1, arbitrary: constant({ do: 'delete Secret' }) },
    ) as Arbitrary<Event>,
  }),
  { minLength: 200, maxLength: 400, size: 'max' },
);

class World {
  readonly cluster = new CertificateCluster([bareEntry(0), bareEntry(1)]);
  readonly processes: Process[];
  signed = 0;

  constructor() {
    this.processes = Array.from({ length: REPLICAS }, () => this.newProcess());
  }

  newProcess(): Process {
    const { cluster } = this;
    const now = (): number => cluster.nowMs;
    const tokens = createCallerTokens({ overlapMs: 600_000, now });
    const replica = createReplica(
      {
        read: () => cluster.read(),
        issuer: paperIssuer(),
        names: ['a.svc'],
        lifetimes: LIFETIMES,
        use: () => {
          this.signed += 1;
        },
        knowTokens: tokens.know,
        observeExpiry: () => undefined,
        observeEntries: () => undefined,
        log: createRecordedLog().log,
        now,
      },
      PACE,
    );
    return { replica, tokens, pending: undefined, roundAtMs: cluster.nowMs };
  }

  async happen(event: Event): Promise<void> {
    if (event.do === 'delete Secret') {
      // Not again before the last time has healed: certificates of 90 s would not live to see it.
      if (this.isQuiet()) this.cluster.deleteSecret();
      return;
    }
    const process = this.processes[event.who]!;
    if (event.do === 'restart') this.processes[event.who] = this.newProcess();
    else if (event.do === 'round') await this.round(process);
    else if (event.do === 'look') await this.look(process);
    else await act(process);
  }

  /** Whether every replica shows a certificate of the newest authority. */
  isQuiet(): boolean {
    const newest = this.cluster.state?.generations.at(-1);
    return this.processes.every(
      ({ replica }) => replica.leaf()?.authority === newest?.certificate.fingerprint,
    );
  }

  async look(process: Process): Promise<void> {
    const { act: step } = await process.replica.look();
    process.pending = { act: step, atMs: this.cluster.nowMs };
  }

  async round(process: Process): Promise<void> {
    process.pending = undefined;
    await process.replica.round();
    process.roundAtMs = this.cluster.nowMs;
  }

  /** Time passes; a process looks every ten seconds, and no request lasts longer. */
  async pass(ms: number): Promise<void> {
    this.cluster.nowMs += ms;
    for (const process of this.processes) {
      const { pending } = process;
      if (pending !== undefined && this.cluster.nowMs - pending.atMs > PACE.pollMs)
        await act(process);
      if (this.cluster.nowMs - process.roundAtMs >= PACE.pollMs) await this.round(process);
    }
  }

  /** What is wrong at this moment; nothing, always. */
  wrongs(): string[] {
    const { cluster } = this;
    const now = cluster.entries;
    const earlier = cluster.views(LAG_MS).map((entries) =>
      // Before the very first certificate nobody can call.
      entries.filter(({ bundle }) => bundle.length > 0),
    );
    return this.processes.flatMap(({ replica, tokens }, index) => {
      const leaf = replica.leaf();
      if (leaf === undefined) return [];
      const problems = [
        !isValid(leaf.certificate, cluster.nowMs) && 'shows a certificate that expired',
        !now.every((entry) => trusts(entry, leaf.authority, cluster.nowMs)) && 'is not trusted',
        !earlier.flat().every((entry) => trusts(entry, leaf.authority, cluster.nowMs)) &&
          'is not trusted by an API server that is behind',
        !earlier.flat().every(({ token }) => token !== undefined && tokens.accepts(token)) &&
          'does not know the token of a call',
      ];
      return problems
        .filter((problem) => problem !== false)
        .map((problem) => `${index} ${problem}`);
    });
  }
}

async function act(process: Process): Promise<void> {
  const { pending } = process;
  process.pending = undefined;
  await pending?.act();
}

describe('several replicas at once', () => {
  it('never show a certificate that is not trusted, nor refuse a call that comes by the right path', async () => {
    const seen = { signed: 0, conflicts: 0, authorities: 0 };
    await assert(
      asyncProperty(EVENTS, async (events) => {
        const world = new World();
        const authorities = new Set<string>();
        for (const { afterMs, event } of events) {
          await world.pass(afterMs);
          const wrongs = world.wrongs();
          await world.happen(event);
          wrongs.push(...world.wrongs());
          if (wrongs.length > 0) throw new Error(wrongs.join(', '));
          world.cluster.state?.generations.forEach(({ token }) => authorities.add(token));
        }
        seen.signed += world.signed;
        seen.conflicts += world.cluster.conflicts;
        seen.authorities += authorities.size;
      }),
      // A shrunk history of certificates tells no more than a whole one, and takes minutes.
      { numRuns: 30, endOnFailure: true },
    );
    // Otherwise nothing was shown.
    expect(seen.signed).toBeGreaterThan(700);
    expect(seen.conflicts).toBeGreaterThan(10);
    expect(seen.authorities).toBeGreaterThan(100);
  });
});
