import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';

import type { Admission } from '../../e2e/soak/admission.ts';
import { auditEvents } from '../../e2e/soak/audit.ts';
import { judgeFailOpens } from '../../e2e/soak/fail-open.ts';
import { Ledger } from '../../e2e/soak/ledger.ts';
import { TagHistory } from '../../e2e/soak/tag-history.ts';
import { Timeline } from '../../e2e/soak/timeline.ts';

const AT_MS = 1_000_000;
const NAME = '127.0.0.1:5000/soak/web';

let directory: string;

beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'tagpin-soak-'));
});
afterEach(() => rm(directory, { recursive: true }));

/** A line of the audit log about one Pod, of which a call failed open or not. */
function line(auditID: string, isFailedOpen: boolean): string {
  const at = new Date(AT_MS).toISOString();
  const key = 'failed-open.mutation.webhook.admission.k8s.io/round_0_index_0';
  return JSON.stringify({
    auditID,
    verb: 'create',
    user: { username: 'e2e-admin' },
    objectRef: { resource: 'pods', namespace: 'soak-pin' },
    requestReceivedTimestamp: at,
    stageTimestamp: at,
    annotations: isFailedOpen ? { [key]: 'pods.pin.tagpin.dev' } : {},
  });
}

/** A Pod that kept its tag, and nobody said why. */
function silentPod(id: string): Admission {
  const image = `${NAME}:stable`;
  const tag = { name: NAME, registry: 'open', history: new TagHistory() } as const;
  return {
    id,
    what: 'Pod soak-pin/one',
    mode: 'pin',
    kind: 'Pod',
    fromMs: AT_MS,
    untilMs: AT_MS,
    asked: [{ container: 'web', image, tag }],
    before: {},
    isRestart: false,
    outcome: { kind: 'stored', images: { web: image }, warnings: [], unpinned: {} },
  };
}

interface Accounts {
  readonly lines: readonly string[];
  readonly pods: readonly string[];
  /** By the API server itself. */
  readonly counted: number;
  readonly hasFault: boolean;
}

async function found({ lines, pods, counted, hasFault }: Accounts): Promise<number> {
  await writeFile(join(directory, 'soak-audit.jsonl'), lines.map((one) => `${one}\n`).join(''));
  const timeline = new Timeline();
  if (hasFault) timeline.begin('replica killed', undefined, AT_MS - 100)(AT_MS);
  const ledger = new Ledger({ timeline, cacheTtlMs: 2000, staleIfErrorMs: 20_000 });
  for (const id of pods) ledger.note(silentPod(id));
  const first = { atMs: 0, failOpens: 0 };
  const last = { atMs: AT_MS + 1, failOpens: counted };
  const events = auditEvents(directory, 0);
  await judgeFailOpens({ events, ledger, timeline, first, last });
  return ledger.found.unexplained;
}

describe('judgeFailOpens()', () => {
  const agreed: Accounts = {
    lines: [line('one', true), line('two', false)],
    pods: ['one'],
    counted: 1,
    hasFault: true,
  };

  it('finds nothing where audit log, makers and the API server agree, and a fault explains it', async () => {
    expect(await found(agreed)).toBe(0);
  });

  it.each([
    ['no fault explains it', { hasFault: false }],
    ['the API server has counted more', { counted: 2 }],
    ['the API server has counted fewer', { counted: 0 }],
    ['the audit log has the call answered', { pods: ['one', 'two'] }],
    ['the audit log has nothing of a Pod', { pods: ['one', 'three'] }],
  ])('finds it unexplained where %s', async (_why, changed) => {
    expect(await found({ ...agreed, ...changed })).toBe(1);
  });
});
