import type { AuditEvent } from '../support/audit-event.ts';
import { sumSeries } from '../support/metrics.ts';
import type { Admission } from './admission.ts';
import { failedOpen } from './audit.ts';
import { type Answer, type ClusterApi } from './cluster-api.ts';
import type { Ledger } from './ledger.ts';
import { insist } from './maker.ts';
import type { Span } from './tag-history.ts';
import type { Timeline } from './timeline.ts';
import { MODES } from './world.ts';

const METRIC = 'apiserver_admission_webhook_fail_open_count';

/** Within which certificates are renewed once the API server answers again, on a machine that is busy. */
const RENEWAL_MS = 30_000;

/** What an API server has counted since it was started, and when it was asked. */
export interface Counted {
  readonly atMs: number;
  /** Of calls for Pods: a change of a Deployment that meets another one calls again, and is one line of audit. */
  readonly failOpens: number;
}

export async function countFailOpens(api: ClusterApi): Promise<Counted> {
  const answer: Answer = await insist(() => api.send('GET', '/metrics'));
  const counts = MODES.map((mode) =>
    sumSeries(answer.text, METRIC, { name: `pods.${mode}.tagpin.dev` }),
  );
  return { atMs: answer.untilMs, failOpens: counts.reduce((sum, count) => sum + count, 0) };
}

export interface FailOpenParts {
  readonly events: AsyncIterable<AuditEvent>;
  readonly ledger: Ledger;
  readonly timeline: Timeline;
  /** Of the API server that lived last: at its start, or at that of the soak; and at the end. */
  readonly first: Counted;
  readonly last: Counted;
}

/**
 * Holds three accounts of calls that got no answer against each other: the audit log's, the makers'
 * (what can only be so if tagpin was not heard) and the API server's own count. Each must have a
 * fault that explains it.
 *
 * @returns how many calls there were, by the audit log
 */
export async function judgeFailOpens(parts: FailOpenParts): Promise<number> {
  const { events, ledger } = parts;
  const missed = new Map(ledger.missed);
  let calls = 0;
  const audited = { inside: 0, astride: 0, outside: 0 };
  for await (const event of events) {
    if (event.objectRef.namespace?.startsWith('soak-') !== true) continue;
    const count = failedOpen(event);
    const admission = missed.get(event.auditID);
    missed.delete(event.auditID);
    if (count > 0) {
      const span = spanOf(event);
      calls += count;
      const place = event.objectRef.resource === 'pods' ? placeOf(span, parts) : 'outside';
      audited[place] += count;
      judgeCall(parts, event, span);
    } else if (admission !== undefined) {
      const notes = JSON.stringify(event.annotations);
      tell(ledger, admission, `and the API server says that it was: ${notes}`);
    }
  }
  for (const admission of missed.values()) {
    // A server that is killed writes nothing of what it was about to answer.
    if (admission.outcome.kind === 'stored' && admission.outcome.warnings === undefined) continue;
    tell(ledger, admission, 'and the audit log has nothing of it');
  }
  judgeCount(parts, audited);
  return calls;
}

function judgeCall({ timeline, ledger }: FailOpenParts, event: AuditEvent, span: Span): void {
  if (timeline.excuses(span, ({ failsOpen }) => failsOpen === true)) return;
  const sinceRenewal = { ...span, fromMs: span.fromMs - RENEWAL_MS };
  const isOutlasted = timeline.excuses(
    sinceRenewal,
    ({ outlastsCertificatesMs = Number.POSITIVE_INFINITY }, _struck, lastedMs) =>
      lastedMs > outlastsCertificatesMs,
  );
  if (isOutlasted) return;
  const { verb, objectRef } = event;
  const what = `${verb} of ${objectRef.resource} in ${objectRef.namespace}`;
  const text = 'a call of the webhook got no answer, and no fault explains it';
  ledger.find({ verdict: 'unexplained', text }, what, span);
}

function tell(ledger: Ledger, admission: Admission, but: string): void {
  const asked = admission.asked.map(({ container, image }) => `${container} ${image}`).join(', ');
  const became = JSON.stringify(admission.outcome);
  const text = `it looks as if tagpin was not called, ${but}; asked for ${asked}, ${became}`;
  ledger.find({ verdict: 'unexplained', text }, admission.what, admission);
}

/** Where a call lies between the two moments at which the API server was asked for its count. */
function placeOf({ fromMs, untilMs }: Span, { first, last }: FailOpenParts): keyof Audited {
  if (untilMs < first.atMs || fromMs > last.atMs) return 'outside';
  return fromMs >= first.atMs && untilMs <= last.atMs ? 'inside' : 'astride';
}

/** Calls for Pods, by the audit log. */
interface Audited {
  readonly inside: number;
  /** Under way when the API server was asked: it may have counted them, or not. */
  readonly astride: number;
  /** And those of other kinds. */
  readonly outside: number;
}

function judgeCount({ ledger, first, last }: FailOpenParts, { inside, astride }: Audited): void {
  const counted = last.failOpens - first.failOpens;
  if (counted >= inside && counted <= inside + astride) return;
  const text = `the API server counted ${counted} calls without an answer, its audit log has ${inside}, and ${astride} at the edges`;
  const span = { fromMs: first.atMs, untilMs: last.atMs };
  ledger.find({ verdict: 'unexplained', text }, METRIC, span);
}

function spanOf({ requestReceivedTimestamp, stageTimestamp }: AuditEvent): Span {
  return { fromMs: Date.parse(requestReceivedTimestamp), untilMs: Date.parse(stageTimestamp) };
}
