import { X509Certificate } from 'node:crypto';

import { beforeAll, describe, expect, it } from '@jest/globals';
import jsonPatch, { type Operation } from 'fast-json-patch';

import { readCertificates } from '../../src/certificates/certificate.ts';
import { createIssuer } from '../../src/certificates/issue.ts';
import type { CertificateObjects, IssuedPair, Issuer } from '../../src/certificates/ports.ts';
import { readCluster } from '../../src/certificates/reading.ts';
import { createReplica, type Replica } from '../../src/certificates/replica.ts';
import { createRecordedLog } from '../support/recorded-log.ts';

const HOUR_MS = 3_600_000;
const WEEK_MS = 168 * HOUR_MS;
const LIFETIMES = { leafMs: WEEK_MS, authorityMs: 8760 * HOUR_MS };

interface Webhook {
  readonly name: string;
  readonly clientConfig: {
    readonly caBundle: string;
    readonly service: { readonly name: string; readonly path?: string };
  };
}

/** The authorities of a company, or of an operating system. */
let foreign: readonly IssuedPair[];
let issuer: Issuer;

beforeAll(async () => {
  issuer = createIssuer();
  const nowMs = Date.now();
  const made = Array.from({ length: 140 }, () =>
    issuer.authority({ nowMs, notAfterMs: nowMs + LIFETIMES.authorityMs }),
  );
  foreign = await Promise.all(made);
});

function webhook(pairs: readonly IssuedPair[], path?: string): Webhook {
  const caBundle = Buffer.from(pairs.map(({ cert }) => cert).join('\n')).toString('base64');
  const service = { name: 'tagpin', ...(path !== undefined && { path }) };
  return { name: 'pods.pin.tagpin.dev', clientConfig: { caBundle, service } };
}

/** One replica, and the texts of a cluster that nobody else writes. */
class Installation {
  configuration: { webhooks: readonly Webhook[] };
  writes = 0;
  nowMs = Date.now();
  readonly replica: Replica;

  constructor(webhooks: readonly Webhook[]) {
    this.configuration = { webhooks };
    let data: Readonly<Record<string, string>> | undefined;
    const objects: CertificateObjects = {
      nowMs: () => this.nowMs,
      readConfigurations: async () => [
        { kind: 'mutating', version: '1', object: structuredClone(this.configuration) },
      ],
      readSecret: async () => (data === undefined ? undefined : { version: '1', object: { data } }),
      writeSecret: async (written) => {
        this.writes += 1;
        data = written;
        return true;
      },
      patchConfiguration: async (_kind, [, ...ops]) => {
        this.writes += 1;
        jsonPatch.applyPatch(this.configuration, ops as unknown as Operation[], true);
        return true;
      },
    };
    const parts = {
      read: () => readCluster(objects, 'a/b'),
      issuer,
      names: ['a.svc'],
      lifetimes: LIFETIMES,
      use: () => undefined,
      knowTokens: () => undefined,
      observeExpiry: () => undefined,
      observeEntries: () => undefined,
      log: createRecordedLog().log,
      now: () => this.nowMs,
    };
    this.replica = createReplica(parts, { leafLifetimeMs: LIFETIMES.leafMs, settleMs: 30_000 });
  }

  async pass(ms: number): Promise<void> {
    this.nowMs += ms;
    await this.replica.round();
  }

  /** The fingerprints of each bundle. */
  bundles(): string[][] {
    return this.configuration.webhooks.map(({ clientConfig }) =>
      Buffer.from(clientConfig.caBundle, 'base64')
        .toString()
        .split(/(?<=END CERTIFICATE-----\n)/)
        .map((pem) => new X509Certificate(pem).fingerprint256),
    );
  }
}

/** So many foreign certificates to each entry, no two the same. */
function entriesWith(counts: readonly number[]): readonly (readonly IssuedPair[])[] {
  return counts.map((count, index) => {
    const from = counts.slice(0, index).reduce((sum, before) => sum + before, 0);
    return foreign.slice(from, from + count);
  });
}

describe('bundles with many certificates', () => {
  it.each([[[63]], [[64]], [[65]], [[140]], [[40, 40]], [[70, 70]]])(
    'are ready, and then left alone, with %j foreign ones, of which none is thrown away',
    async (counts) => {
      const before = entriesWith(counts);
      const installation = new Installation(before.map((pairs) => webhook(pairs)));
      await installation.pass(0);
      await installation.pass(31_000);
      expect(installation.replica.isLoaded()).toBe(true);
      const { writes } = installation;
      await installation.pass(31_000);
      expect(installation.writes).toBe(writes);
      const authority = installation.replica.leaf()?.authority;
      const expected = before.map((pairs) => [
        authority,
        ...pairs.map(({ certificate }) => certificate.fingerprint),
      ]);
      expect(installation.bundles()).toEqual(expected);
    },
  );

  it('lose what is foreign in the end, 64 at a time', async () => {
    const installation = new Installation([webhook(foreign)]);
    await installation.pass(0);
    const left: (number | undefined)[] = [];
    for (let weeks = 1; weeks <= 4; weeks += 1) {
      // oxlint-disable-next-line no-await-in-loop -- one week after the other
      await installation.pass(WEEK_MS + 1);
      left.push(installation.bundles()[0]?.length);
    }
    expect(left).toEqual([141 - 64, 141 - 128, 1, 1]);
  });

  it('may be called by more former tokens than are kept', async () => {
    const webhooks = foreign.slice(0, 70).map((_, index) => {
      const token = index.toString(16).padStart(64, '0');
      return webhook([], `/caller/${token}/admission/pin`);
    });
    const installation = new Installation(webhooks);
    await installation.pass(0);
    expect(installation.replica.isLoaded()).toBe(true);
    const { writes } = installation;
    await installation.pass(31_000);
    expect(installation.writes).toBe(writes);
  });
});

describe('readCertificates()', () => {
  it('finds the certificates between blocks that begin and never end', () => {
    const [one, other] = foreign.slice(0, 2).map(({ certificate }) => certificate);
    if (one === undefined || other === undefined) throw new Error('no certificates');
    const open = '-----BEGIN CERTIFICATE-----\n'.repeat(20_000);
    expect(readCertificates(open + one.pem + open + other.pem + open)).toEqual([one, other]);
  });
});
