import { type FaultKind, type FaultName, faultKind, type RegistryName } from './fault-kind.ts';
import { momentOf, overlap, type Span } from './tag-history.ts';

/** One fault that struck. Times are on the clock of `Date.now()`. */
interface Fault {
  readonly name: FaultName;
  /** Whom it struck; undefined: the cluster. */
  readonly registry: RegistryName | undefined;
  readonly fromMs: number;
  /** Infinity while it lasts. */
  untilMs: number;
}

/** Whether a fault explains something; `lastedMs`: for how long it had lasted. */
type Excuse = (kind: FaultKind, struck: RegistryName | undefined, lastedMs: number) => boolean;

/** Which faults there were, and when. */
export class Timeline {
  readonly #faults: Fault[] = [];

  /** To be told before the fault is made; gives what tells that it is over. */
  begin(
    name: FaultName,
    registry: RegistryName | undefined,
    nowMs: number,
  ): (nowMs: number) => void {
    const fault = { name, registry, fromMs: nowMs, untilMs: Number.POSITIVE_INFINITY };
    this.#faults.push(fault);
    return (endMs) => {
      fault.untilMs = endMs;
    };
  }

  /** Whether a fault of which that is true was felt at any moment of this time. */
  excuses(span: Span, by: Excuse): boolean {
    return this.#feltIn(span).some(({ name, registry, fromMs, untilMs }) =>
      by(faultKind(name), registry, Math.min(untilMs, span.untilMs) - fromMs),
    );
  }

  counts(): Readonly<Record<string, number>> {
    const counts: Record<string, number> = {};
    for (const { name } of this.#faults) counts[name] = (counts[name] ?? 0) + 1;
    return counts;
  }

  /** For how long there was one of a kind, all together. */
  secondsOf(kind: FaultName): number {
    const spans = this.#faults.filter(({ name }) => name === kind);
    const ms = spans.reduce((sum, { fromMs, untilMs }) => sum + untilMs - fromMs, 0);
    return Math.round(ms / 1000);
  }

  /** For a person: what was felt around this time. */
  textAround({ fromMs, untilMs }: Span): string {
    const felt = this.#feltIn({ fromMs: fromMs - AROUND_MS, untilMs: untilMs + AROUND_MS });
    if (felt.length === 0) return 'no fault around';
    return felt.map(textOf).join(', ');
  }

  #feltIn(span: Span): readonly Fault[] {
    return this.#faults.filter(({ name, fromMs, untilMs }) =>
      overlap({ fromMs, untilMs: untilMs + faultKind(name).graceMs }, span),
    );
  }
}

const AROUND_MS = 3000;

function textOf({ name, registry, fromMs, untilMs }: Fault): string {
  const whom = registry === undefined ? '' : ` (${registry})`;
  const until = Number.isFinite(untilMs) ? momentOf(untilMs) : 'now';
  return `${name}${whom} ${momentOf(fromMs)}–${until}`;
}
