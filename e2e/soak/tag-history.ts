/** A span of time, on the clock of `Date.now()`. */
export interface Span {
  readonly fromMs: number;
  readonly untilMs: number;
}

interface Reign {
  /** Undefined while there is no such tag. */
  readonly digest: string | undefined;
  readonly fromMs: number;
  untilMs: number;
}

/**
 * Which digests a tag had, and when it may have had them: from the moment a change begins until it is
 * known to be made, a registry may answer the old and the new one.
 */
export class TagHistory {
  readonly #reigns: Reign[] = [];

  /** A change begins; undefined: the tag is taken away. */
  begin(digest: string | undefined, nowMs: number): void {
    this.#reigns.push({ digest, fromMs: nowMs, untilMs: Number.POSITIVE_INFINITY });
  }

  /** What began last is made. */
  settle(nowMs: number): void {
    for (const reign of this.#reigns.slice(0, -1)) reign.untilMs = Math.min(reign.untilMs, nowMs);
  }

  /** Whether it may have had the digest at any moment of this time; undefined: no digest. */
  had(digest: string | undefined, span: Span): boolean {
    return this.#reigns.some((reign) => reign.digest === digest && overlap(reign, span));
  }

  /** For a person, from the first that reigned in this time on. */
  textOf(span: Span): string {
    const reigns = this.#reigns.filter((reign) => overlap(reign, span));
    return reigns
      .map(({ digest = 'no digest', fromMs, untilMs }) => {
        const until = Number.isFinite(untilMs) ? momentOf(untilMs) : 'now';
        return `${digest.slice(0, 19)} ${momentOf(fromMs)}–${until}`;
      })
      .join(', ');
  }
}

export function overlap(one: Span, other: Span): boolean {
  return one.fromMs <= other.untilMs && other.fromMs <= one.untilMs;
}

/** The time of day, with milliseconds. */
export function momentOf(ms: number): string {
  return new Date(ms).toISOString().slice(11, 23);
}
