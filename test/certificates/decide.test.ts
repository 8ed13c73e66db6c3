import { describe, expect, it } from '@jest/globals';

import type { Certificate } from '../../src/certificates/certificate.ts';
import { decide, type Leaf, type Seen } from '../../src/certificates/decide.ts';
import type { Entry } from '../../src/certificates/entries.ts';
import { type Generation, NO_STATE, type State } from '../../src/certificates/state.ts';
import { bareEntry, certificate } from '../support/certificate-cluster.ts';

const MINUTE = 60_000;
const NOW_MS = Date.parse('2030-01-01T00:00:00Z');
const PACE = { leafLifetimeMs: 60 * MINUTE, settleMs: MINUTE };

/** An authority whose life has so much behind it, and so much before it. */
function authority(settled: boolean, agoMs: number, leftMs: number): Generation {
  const one = certificate(NOW_MS - agoMs, NOW_MS + leftMs);
  return { certificate: one, key: 'key', token: `token of ${one.fingerprint}`, settled };
}

const OLD = authority(true, 700 * MINUTE, 300 * MINUTE);
const GOOD = authority(true, 100 * MINUTE, 900 * MINUTE);
const NEW = authority(false, MINUTE, 999 * MINUTE);
const EXPIRED = authority(true, 1000 * MINUTE, 0);
const FUTURE = authority(true, -MINUTE, 1000 * MINUTE);
const FOREIGN = certificate(NOW_MS - MINUTE, NOW_MS + 999 * MINUTE);

function state(...generations: readonly Generation[]): State {
  return { ...NO_STATE, generations };
}

function entry(token: string | undefined, ...bundle: readonly (Generation | Certificate)[]): Entry {
  const certificates = bundle.map((one) => ('certificate' in one ? one.certificate : one));
  return { ...bareEntry(), token, bundle: certificates };
}

function leafOf(by: Generation, agoMs: number, leftMs: number): Leaf {
  return {
    certificate: certificate(NOW_MS - agoMs, NOW_MS + leftMs),
    authority: by.certificate.fingerprint,
  };
}

const FRESH = leafOf(GOOD, MINUTE, 59 * MINUTE);
const RIGHT = entry(GOOD.token, GOOD);

interface Case {
  readonly state?: State;
  readonly entries?: readonly Entry[];
  readonly leaf?: Leaf | undefined;
  readonly publishedForMs?: number;
}

function next({ leaf, publishedForMs = 0, ...seen }: Case): ReturnType<typeof decide> {
  const all: Seen = { state: undefined, entries: [], nowMs: NOW_MS, ...seen };
  return decide(all, { leaf, publishedForMs: () => publishedForMs }, PACE);
}

describe('decide()', () => {
  it.each<[string, Case, object]>([
    ['nothing is there', {}, { step: 'found', beside: NO_STATE }],
    ['the newest authority is due', { state: state(OLD) }, { step: 'found', beside: state(OLD) }],
    ['none is valid any more', { state: state(EXPIRED) }, { step: 'found', beside: state() }],
    ['none is valid yet', { state: state(FUTURE) }, { step: 'found', beside: state() }],
    [
      'one has expired beside a good one',
      { state: state(EXPIRED, GOOD), entries: [RIGHT] },
      { step: 'store', why: 'tidied', state: state(GOOD) },
    ],
    [
      "somebody else's certificate is trusted",
      { state: state(GOOD), entries: [entry(GOOD.token, GOOD, FOREIGN)] },
      {
        step: 'store',
        state: {
          leaving: [{ fingerprint: FOREIGN.fingerprint, untilMs: NOW_MS + PACE.leafLifetimeMs }],
        },
      },
    ],
    [
      'it is trusted no more',
      {
        state: { ...state(GOOD), leaving: [{ fingerprint: 'gone', untilMs: NOW_MS + 1 }] },
        entries: [RIGHT],
      },
      { step: 'store', state: state(GOOD) },
    ],
    [
      'calls come by a token that nobody knows',
      { state: state(GOOD), entries: [entry('former', GOOD)] },
      {
        step: 'store',
        state: { formerTokens: [{ token: 'former', untilMs: NOW_MS + 10 * MINUTE }] },
      },
    ],
    [
      'an entry has no bundle and no path',
      { state: state(GOOD), entries: [bareEntry()] },
      { step: 'publish', changes: [{ bundle: [GOOD.certificate], token: GOOD.token }] },
    ],
    [
      'a new authority is not trusted yet: its path waits',
      { state: state(OLD, NEW), entries: [entry(OLD.token, OLD)] },
      {
        step: 'publish',
        changes: [{ bundle: [NEW.certificate, OLD.certificate], token: OLD.token }],
      },
    ],
    [
      'an expired one is trusted still',
      { state: state(GOOD), entries: [entry(GOOD.token, EXPIRED, GOOD)] },
      { step: 'publish', changes: [{ bundle: [GOOD.certificate] }] },
    ],
    [
      "somebody else's certificate has had its time",
      {
        state: {
          ...state(GOOD),
          leaving: [{ fingerprint: FOREIGN.fingerprint, untilMs: NOW_MS }],
        },
        entries: [entry(GOOD.token, FOREIGN, GOOD)],
      },
      { step: 'publish', changes: [{ bundle: [GOOD.certificate] }] },
    ],
    [
      'a path has the token of an older authority',
      { state: state(OLD, GOOD), entries: [entry(OLD.token, OLD, GOOD)] },
      { step: 'publish', changes: [{ token: GOOD.token }] },
    ],
    [
      'a new authority was in all bundles for long enough',
      {
        state: state(OLD, NEW),
        entries: [entry(OLD.token, OLD, NEW)],
        leaf: leafOf(OLD, MINUTE, 59 * MINUTE),
        publishedForMs: PACE.settleMs,
      },
      { step: 'store', why: 'settled', state: state(OLD, { ...NEW, settled: true }) },
    ],
    [
      'it was there for less',
      {
        state: state(OLD, NEW),
        entries: [entry(OLD.token, OLD, NEW)],
        leaf: leafOf(OLD, MINUTE, 59 * MINUTE),
        publishedForMs: PACE.settleMs - 1,
      },
      { step: 'wait' },
    ],
    [
      'it is the only one that is trusted',
      { state: state(NEW), entries: [entry(NEW.token, NEW)] },
      { step: 'store', why: 'settled' },
    ],
    ['nobody calls at all', { state: state(NEW), entries: [] }, { step: 'store', why: 'settled' }],
    [
      'there is no certificate yet',
      { state: state(GOOD), entries: [RIGHT] },
      { step: 'sign', by: GOOD, notAfterMs: NOW_MS + PACE.leafLifetimeMs },
    ],
    ['all is well', { state: state(GOOD), entries: [RIGHT], leaf: FRESH }, { step: 'wait' }],
    [
      'the certificate is of an older authority',
      {
        state: state(OLD, GOOD),
        entries: [entry(GOOD.token, OLD, GOOD)],
        leaf: leafOf(OLD, MINUTE, 59 * MINUTE),
      },
      { step: 'sign', by: GOOD },
    ],
    [
      'a third of the certificate is left',
      { state: state(GOOD), entries: [RIGHT], leaf: leafOf(GOOD, 40 * MINUTE, 20 * MINUTE) },
      { step: 'sign', by: GOOD },
    ],
    [
      'it is not valid yet, by the time of the API server',
      { state: state(GOOD), entries: [RIGHT], leaf: leafOf(GOOD, -1, 60 * MINUTE) },
      { step: 'sign', by: GOOD },
    ],
  ])('when %s', (_what, given, expected) => {
    expect(next(given)).toMatchObject(expected);
  });

  it('signs nothing that outlives its authority', () => {
    const short = authority(true, 10 * MINUTE, 50 * MINUTE);
    const signed = next({ state: state(short), entries: [entry(short.token, short)] });
    expect(signed).toMatchObject({ step: 'sign', notAfterMs: NOW_MS + 50 * MINUTE });
  });
});
