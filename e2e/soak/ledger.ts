import type { Admission } from './admission.ts';
import type { Finding, OracleParts } from './image-oracle.ts';
import { type Fate, judge } from './oracle.ts';
import { momentOf, type Span } from './tag-history.ts';

/** More are counted, and not told. */
const MOST_TOLD = 50;

/** All that was admitted, each looked at as soon as it is known. */
export class Ledger {
  readonly #parts: OracleParts;
  readonly #fates = new Map<string, number>();
  /** By audit ID, those that tagpin cannot have answered. */
  readonly missed: Map<string, Admission> = new Map();
  /** By what they are, those of which nobody knows whether they were made. */
  readonly unanswered: Map<string, Admission> = new Map();
  readonly #found = { wrong: 0, lost: 0, unexplained: 0 };
  readonly #told: string[] = [];

  constructor(parts: OracleParts) {
    this.#parts = parts;
  }

  note(admission: Admission): void {
    const { findings, fate, mustHaveFailedOpen } = judge(this.#parts, admission);
    this.#count(admission, fate);
    if (mustHaveFailedOpen) this.missed.set(admission.id, admission);
    if (fate === 'no answer') this.unanswered.set(admission.what, admission);
    for (const finding of findings) this.find(finding, admission.what, admission);
  }

  /** Something that must not be. */
  find({ verdict, text }: Finding, what: string, span: Span): void {
    this.#found[verdict] += 1;
    if (this.#told.length >= MOST_TOLD) return;
    const when = `${momentOf(span.fromMs)}–${momentOf(span.untilMs)}`;
    const around = this.#parts.timeline.textAround(span);
    this.#told.push(`${verdict}: ${what} ${when}: ${text}\n    around: ${around}`);
  }

  get found(): Readonly<Record<Finding['verdict'], number>> {
    return this.#found;
  }

  /** For a person. */
  get told(): readonly string[] {
    return this.#told;
  }

  /** How many had which fate, by mode and kind. */
  fates(): Readonly<Record<string, number>> {
    return Object.fromEntries([...this.#fates].toSorted(([a], [b]) => a.localeCompare(b, 'en')));
  }

  #count({ mode, kind }: Admission, fate: Fate): void {
    const key = `${mode}, ${kind}: ${fate}`;
    this.#fates.set(key, (this.#fates.get(key) ?? 0) + 1);
  }
}
