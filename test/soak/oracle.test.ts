import { describe, expect, it } from '@jest/globals';

import type { Admission, Mode, Outcome } from '../../e2e/soak/admission.ts';
import { type FaultName, faultKind } from '../../e2e/soak/fault-kind.ts';
import type { OracleParts } from '../../e2e/soak/image-oracle.ts';
import { judge } from '../../e2e/soak/oracle.ts';
import { TagHistory } from '../../e2e/soak/tag-history.ts';
import { Timeline } from '../../e2e/soak/timeline.ts';

const NAME = '127.0.0.1:5000/soak/web';
const IMAGE = `${NAME}:stable`;
const [OLD, NEW, NEVER] = ['a', 'b', 'c'].map((letter) => `sha256:${letter.repeat(64)}`);
const CACHE_TTL_MS = 2000;
const STALE_IF_ERROR_MS = 20_000;
/** The tag names something else from here on. */
const MOVED_AT_MS = 100_000;

function history(): TagHistory {
  const tag = new TagHistory();
  tag.begin(OLD, 0);
  tag.begin(NEW, MOVED_AT_MS);
  tag.settle(MOVED_AT_MS + 10);
  return tag;
}

/** One Pod of one container, so many milliseconds after the tag has moved. */
function pod(afterMs: number, outcome: Outcome, more: Partial<Admission> = {}): Admission {
  const fromMs = MOVED_AT_MS + afterMs;
  const tag = { name: NAME, registry: 'open', history: history() } as const;
  return {
    id: 'one',
    what: 'Pod soak-pin/one',
    mode: 'pin',
    kind: 'Pod',
    fromMs,
    untilMs: fromMs + 20,
    asked: [{ container: 'web', image: IMAGE, tag }],
    before: {},
    isRestart: false,
    outcome,
    ...more,
  };
}

function stored(image: string, more: { warning?: string; reason?: string } = {}): Outcome {
  return {
    kind: 'stored',
    images: { web: image },
    warnings: more.warning === undefined ? [] : [more.warning],
    unpinned: more.reason === undefined ? {} : { web: more.reason },
  };
}

function pinned(digest: string | undefined): string {
  return `${NAME}@${digest}`;
}

/** With one fault, from so many milliseconds after the move on, for a second. */
function parts(fault?: FaultName, afterMs = 0): OracleParts {
  const timeline = new Timeline();
  if (fault !== undefined) {
    const [registry] = faultKind(fault).registries ?? [];
    const end = timeline.begin(fault, registry, MOVED_AT_MS + afterMs);
    end(MOVED_AT_MS + afterMs + 1000);
  }
  return { timeline, cacheTtlMs: CACHE_TTL_MS, staleIfErrorMs: STALE_IF_ERROR_MS };
}

function after5s(outcome: Outcome, more: Partial<Admission>): readonly string[] {
  return verdicts(parts(), pod(5000, outcome, more));
}

function verdicts(oracle: OracleParts, admission: Admission): readonly string[] {
  return judge(oracle, admission).findings.map(({ verdict }) => verdict);
}

const STALE = 'container "web" is pinned to the digest known 9 s ago: its registry does not answer';

function failed(code: string, effect = 'tag'): string {
  return `Cannot resolve "${IMAGE}" for container "web": it did not answer; the ${effect} stays [${code}]`;
}

/** In mode `warn`. */
function saidOf(digest: string | undefined): string {
  return `container "web" would be pinned to ${pinned(digest)}`;
}

function wouldBe(digest: string | undefined): Outcome {
  return stored(IMAGE, { warning: saidOf(digest) });
}

/** By tagpin itself. */
function denied(code: string): Outcome {
  return {
    kind: 'refused',
    status: 403,
    message: `admission webhook "pods.enforce.tagpin.dev" denied the request: Cannot resolve "${IMAGE}" for container "web": no: wait [${code}]`,
  };
}

describe('judge() of a pin', () => {
  it.each([
    ['what the tag has', NEW, 5000],
    ['what it had when it moved just now', OLD, 0],
    ['what it had within the time of the cache', OLD, CACHE_TTL_MS],
  ])('takes %s', (_what, digest, afterMs) => {
    expect(verdicts(parts(), pod(afterMs, stored(pinned(digest))))).toEqual([]);
  });

  it.each([
    ['a digest that the tag never had', NEVER, 5000],
    ['what it had longer ago than the cache keeps it', OLD, CACHE_TTL_MS + 100],
    ['what it had longer ago than a last known digest counts', OLD, STALE_IF_ERROR_MS + 100],
  ])('finds %s wrong', (_what, digest, afterMs) => {
    expect(verdicts(parts(), pod(afterMs, stored(pinned(digest))))).toEqual(['wrong']);
  });

  it('finds the digest of another repository wrong', () => {
    const image = `127.0.0.1:5000/soak/other@${NEW}`;
    expect(verdicts(parts(), pod(5000, stored(image)))).toEqual(['wrong']);
  });

  it('takes the last known digest while a registry is down, and its warning', () => {
    const old = stored(pinned(OLD), { warning: STALE });
    expect(verdicts(parts('registry down', 4000), pod(5000, old))).toEqual([]);
    expect(verdicts(parts('registry limits (429)', 4000), pod(5000, old))).toEqual(['wrong']);
    expect(verdicts(parts('registry down', 4000), pod(30_000, old))).toEqual(['wrong']);
  });

  it('finds the last known digest without a warning unexplained', () => {
    const old = stored(pinned(OLD));
    expect(verdicts(parts('registry down', 4000), pod(5000, old))).toEqual(['unexplained']);
  });

  it('finds a change of what it must leave alone wrong', () => {
    const asked = [{ container: 'web', image: pinned(OLD), tag: undefined }];
    expect(verdicts(parts(), pod(5000, stored(pinned(OLD)), { asked }))).toEqual([]);
    expect(verdicts(parts(), pod(5000, stored(pinned(NEW)), { asked }))).toEqual(['wrong']);
  });
});

describe('judge() of a tag that stays', () => {
  it('takes a reason that a fault explains, of the registry that is struck', () => {
    const unpinned = stored(IMAGE, { reason: 'unavailable' });
    expect(verdicts(parts('registry down', 4500), pod(5000, unpinned))).toEqual([]);
    expect(verdicts(parts('registry fails (500)', 4500), pod(5000, unpinned))).toEqual([
      'unexplained',
    ]);
  });

  it.each([
    ['no fault is there', undefined, 0],
    ['the fault has another reason', 'account refused', 4500],
    ['the fault is long over', 'registry down', -20_000],
    ['the fault comes later', 'registry down', 6000],
  ] as const)('finds it unexplained where %s', (_why, fault, afterMs) => {
    const unpinned = stored(IMAGE, { warning: failed('unavailable') });
    expect(verdicts(parts(fault, afterMs), pod(5000, unpinned))).toEqual(['unexplained']);
  });

  it('takes "not found" only where the tag was away', () => {
    const missing = stored(IMAGE, { reason: 'not_found' });
    expect(verdicts(parts(), pod(5000, missing))).toEqual(['unexplained']);
    const away = pod(5000, missing);
    const { history: tag } = away.asked[0]!.tag!;
    tag.begin(undefined, MOVED_AT_MS + 1000);
    tag.begin(NEW, MOVED_AT_MS + 2000);
    tag.settle(MOVED_AT_MS + 2000);
    expect(verdicts(parts(), away)).toEqual([]);
    expect(verdicts(parts(), { ...away, fromMs: MOVED_AT_MS + 9000 })).toEqual(['unexplained']);
  });

  it('takes unreadable Secrets for what hides a tag that was away, and for nothing else', () => {
    const hidden = stored(IMAGE, { reason: 'forbidden_secret' });
    const fault = parts('rights to Secrets taken', 4500);
    expect(verdicts(fault, pod(5000, hidden))).toEqual(['unexplained']);
    const away = pod(5000, hidden);
    const { history: tag } = away.asked[0]!.tag!;
    tag.begin(undefined, MOVED_AT_MS + 1000);
    tag.settle(MOVED_AT_MS + 1000);
    expect(verdicts(fault, away)).toEqual([]);
    expect(verdicts(parts('registry down', 4500), away)).toEqual(['unexplained']);
  });

  it('wants the audit log to say that tagpin was not heard, where no reason is given', () => {
    const silent = judge(parts('replica killed'), pod(100, stored(IMAGE)));
    expect(silent).toMatchObject({ findings: [], mustHaveFailedOpen: true });
    const told = judge(
      parts('registry down', 0),
      pod(100, stored(IMAGE, { reason: 'unavailable' })),
    );
    expect(told.mustHaveFailedOpen).toBe(false);
  });

  it('finds it wrong in a Pod of mode "enforce", whatever explains it', () => {
    const mode: Mode = 'enforce';
    const unpinned = stored(IMAGE, { reason: 'unavailable' });
    expect(verdicts(parts('registry down'), pod(100, unpinned, { mode }))).toEqual(['wrong']);
    expect(verdicts(parts('replica killed'), pod(100, stored(IMAGE), { mode }))).toEqual(['wrong']);
  });
});

describe('judge() of a change', () => {
  const before = { web: { asked: IMAGE, stored: pinned(OLD) } };
  const deployment = { kind: 'Deployment', before } as const;

  it('wants the old pin, whatever the tag has now', () => {
    expect(verdicts(parts(), pod(50_000, stored(pinned(OLD)), deployment))).toEqual([]);
    expect(verdicts(parts(), pod(50_000, stored(pinned(NEW)), deployment))).toEqual(['wrong']);
  });

  it('wants what the tag has now for a restart, and no digest of the cache', () => {
    const restart = { ...deployment, isRestart: true };
    expect(verdicts(parts(), pod(500, stored(pinned(NEW)), restart))).toEqual([]);
    expect(verdicts(parts(), pod(500, stored(pinned(NEVER)), restart))).toEqual(['wrong']);
    expect(judge(parts(), pod(500, stored(pinned(OLD)), restart)).mustHaveFailedOpen).toBe(true);
    const kept = stored(pinned(OLD), { warning: failed('unavailable', 'old pin') });
    expect(verdicts(parts('registry down'), pod(500, kept, restart))).toEqual([]);
    expect(verdicts(parts(), pod(500, kept, restart))).toEqual(['unexplained']);
  });
});

describe('judge() of mode "warn"', () => {
  const mode: Mode = 'warn';

  it('wants what was written, and a digest that the tag had', () => {
    expect(verdicts(parts(), pod(5000, wouldBe(NEW), { mode }))).toEqual([]);
    expect(verdicts(parts(), pod(5000, wouldBe(OLD), { mode }))).toEqual(['wrong']);
    expect(verdicts(parts(), pod(5000, stored(pinned(NEW)), { mode }))).toEqual(['wrong']);
  });

  it('looks past what is said of an older object, on which the API server tried an update first', () => {
    const older = `container "web" would be pinned to 127.0.0.1:5000/soak/other@${NEVER}`;
    const saying = (...warnings: string[]): Outcome => ({
      kind: 'stored',
      images: { web: IMAGE },
      warnings: [older, ...warnings],
      unpinned: {},
    });
    const updated = { mode, before: { web: { asked: IMAGE, stored: IMAGE } } };
    expect(after5s(saying(saidOf(NEW)), updated)).toEqual([]);
    expect(after5s(saying(saidOf(OLD)), updated)).toEqual(['wrong']);
    expect(after5s(saying(failed('unavailable')), updated)).toEqual(['unexplained']);
    expect(after5s(saying(saidOf(NEW)), { mode })).toEqual(['wrong']);
  });
});

describe('judge() of what was not made', () => {
  const POLICY: Outcome = {
    kind: 'refused',
    status: 422,
    message: 'ValidatingAdmissionPolicy \'tagpin-enforce\' denied: container "web" [unpinned]',
  };

  it('takes a denial of "enforce" that a fault explains, and no other', () => {
    const enforce = { mode: 'enforce' } as const;
    expect(verdicts(parts('registry down'), pod(100, denied('unavailable'), enforce))).toEqual([]);
    expect(verdicts(parts(), pod(100, denied('unavailable'), enforce))).toEqual(['unexplained']);
    expect(verdicts(parts('registry down'), pod(100, denied('unavailable')))).toEqual([
      'unexplained',
    ]);
  });

  it('wants the audit log to say that tagpin was not heard, where the policy refuses', () => {
    const { findings, mustHaveFailedOpen } = judge(parts(), pod(100, POLICY, { mode: 'enforce' }));
    expect({ findings, mustHaveFailedOpen }).toEqual({ findings: [], mustHaveFailedOpen: true });
    expect(verdicts(parts(), pod(100, POLICY))).toEqual(['unexplained']);
  });

  it.each([
    ['no answer', { kind: 'broken', message: 'ECONNRESET' }],
    ['an error of its own', { kind: 'refused', status: 500, message: 'etcdserver: timed out' }],
  ] as const)('takes %s only where something is wrong with the API server', (_what, outcome) => {
    expect(verdicts(parts('API server killed'), pod(100, outcome))).toEqual([]);
    expect(verdicts(parts('registry down'), pod(100, outcome))).toEqual(['unexplained']);
    expect(verdicts(parts('replica killed'), pod(100, outcome))).toEqual(['unexplained']);
  });
});
