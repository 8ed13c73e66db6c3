import { toPinError } from '../errors.ts';
import { describeError, type Logger } from '../log.ts';
import { type AuditReport, STATE_RULES } from './findings.ts';

/** How many images of workloads are in each state; `pinned` are those of which nothing is to be told. */
type AuditCounts = ReadonlyMap<string, number>;

interface WatchParts {
  readonly everyMs: number;
  /** Rejects with a PinError. */
  readonly audit: () => Promise<AuditReport>;
  readonly observe: (counts: AuditCounts) => void;
  readonly log: Logger;
}

export interface AuditWatch {
  readonly start: () => void;
  /** Lets one that is under way go on, and begins no other. */
  readonly stop: () => void;
}

/** Audits a cluster again and again: the first time at once, and never twice at the same time. */
export function createAuditWatch({ everyMs, audit, observe, log }: WatchParts): AuditWatch {
  let timer: NodeJS.Timeout | undefined;
  let isStopped = false;
  const run = async (): Promise<void> => {
    try {
      observe(countsOf(await audit()));
    } catch (caught) {
      log.warn(describeError(toPinError(caught)), 'the cluster could not be audited');
    }
    if (isStopped) return;
    timer = setTimeout(() => void run(), everyMs);
    timer.unref();
  };
  return {
    start: () => void run(),
    stop: () => {
      isStopped = true;
      clearTimeout(timer);
    },
  };
}

const STATES: readonly string[] = Object.keys(STATE_RULES);

/** Every state is counted, also where there is none: a gauge that is missing would be no answer. */
function countsOf({ uses, findings }: AuditReport): AuditCounts {
  const told = new Set(findings.map(({ use }) => use));
  const counts = new Map<string, number>(STATES.map((state) => [state, 0]));
  for (const { state } of findings) counts.set(state, (counts.get(state) ?? 0) + 1);
  counts.set('pinned', uses.filter((use) => !told.has(use)).length);
  return counts;
}
