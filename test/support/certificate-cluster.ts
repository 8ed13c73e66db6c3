import type { Certificate } from '../../src/certificates/certificate.ts';
import { isExpired } from '../../src/certificates/certificate.ts';
import type { Entry, Wanted } from '../../src/certificates/entries.ts';
import type { IssuedPair, Issuer } from '../../src/certificates/ports.ts';
import type { Reading } from '../../src/certificates/reading.ts';
import type { State } from '../../src/certificates/state.ts';

/** What API servers may go by: the entries, as they are now or were a moment ago. */
export interface EntriesSince {
  readonly entries: readonly Entry[];
  readonly fromMs: number;
}

/**
 * The Secret and the webhook configuration of a cluster without an API server, each with the version
 * by which a write tells that somebody else was faster; and its clock.
 */
export class CertificateCluster {
  nowMs: number = Date.parse('2030-01-01T00:00:00Z');
  state: State | undefined;
  /** From the newest on. */
  history: EntriesSince[];
  writes = 0;
  conflicts = 0;
  #stateVersion = 0;

  constructor(entries: readonly Entry[]) {
    this.history = [{ entries, fromMs: this.nowMs }];
  }

  get entries(): readonly Entry[] {
    return this.history[0]?.entries ?? [];
  }

  /** What the API servers may go by that learn of a change within some time. */
  views(lagMs: number): readonly (readonly Entry[])[] {
    const end = this.history.findIndex(({ fromMs }) => fromMs <= this.nowMs - lagMs);
    const current = end === -1 ? this.history : this.history.slice(0, end + 1);
    return current.map(({ entries }) => entries);
  }

  deleteSecret(): void {
    this.state = undefined;
    this.#stateVersion += 1;
  }

  async read(): Promise<Reading> {
    const { entries, state, nowMs } = this;
    const version = this.#stateVersion;
    return {
      entries,
      state,
      nowMs,
      store: async (next) => {
        if (!this.#isFirst(version === this.#stateVersion)) return false;
        this.state = next;
        this.#stateVersion += 1;
        return true;
      },
      publish: async (changes) => {
        if (!this.#isFirst(entries === this.entries)) return false;
        this.replaceEntries(entries.map((entry) => changed(entry, changes)));
        return true;
      },
    };
  }

  replaceEntries(entries: readonly Entry[]): void {
    this.history = [{ entries, fromMs: this.nowMs }, ...this.history.slice(0, 20)];
  }

  #isFirst(isFirst: boolean): boolean {
    if (isFirst) this.writes += 1;
    else this.conflicts += 1;
    return isFirst;
  }
}

function changed(entry: Entry, changes: readonly Wanted[]): Entry {
  const change = changes.find((candidate) => candidate.entry === entry);
  return change === undefined ? entry : { ...entry, bundle: change.bundle, token: change.token };
}

/** An entry of a webhook configuration as it is applied: without a bundle and a path. */
export function bareEntry(index = 0): Entry {
  return {
    index,
    bundle: [],
    token: undefined,
    route: '/admission/pin',
    target: { kind: 'service' },
  };
}

let count = 0;

/** A certificate without a text: decisions go by the rest of it. */
export function certificate(notBeforeMs: number, notAfterMs: number): Certificate {
  count += 1;
  const fingerprint = `certificate ${count}`;
  return { pem: fingerprint, fingerprint, notBeforeMs, notAfterMs };
}

/** Makes certificates without keys. */
export function paperIssuer(): Issuer {
  return {
    authority: async ({ nowMs, notAfterMs }) => issued(nowMs, notAfterMs),
    serving: async (_by, _names, { nowMs, notAfterMs }) => issued(nowMs, notAfterMs),
  };
}

function issued(nowMs: number, notAfterMs: number): IssuedPair {
  const one = certificate(nowMs - (notAfterMs - nowMs) / 10, notAfterMs);
  return { certificate: one, cert: one.pem, key: 'key' };
}

/** Whether an API server that goes by this entry trusts a certificate of this authority. */
export function trusts({ bundle }: Entry, authority: string, nowMs: number): boolean {
  return bundle.some((one) => one.fingerprint === authority && !isExpired(one, nowMs));
}
