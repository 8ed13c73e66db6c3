/** A time as a person reads it: `3 days`, `2 h 5 min`, `40 s`. */
export function span(ms: number): string {
  const seconds = Math.floor(ms / 1000);
  const minutes = Math.floor(seconds / 60);
  const hours = Math.floor(minutes / 60);
  if (hours >= 48) return `${Math.floor(hours / 24)} days`;
  if (hours > 0) return `${hours} h ${minutes % 60} min`;
  if (minutes > 0) return `${minutes} min`;
  return `${seconds} s`;
}

/** A duration of a review. */
export function milliseconds(ms: number): string {
  if (ms >= 100) return `${Math.round(ms)} ms`;
  return `${ms.toFixed(ms >= 10 ? 1 : 2)} ms`;
}

/** When something was, as a person reads it. */
export function ago(ms: number): string {
  return ms < 1000 ? 'just now' : `${span(ms)} ago`;
}
