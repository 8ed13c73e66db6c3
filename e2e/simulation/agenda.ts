interface Entry {
  readonly atMs: number;
  readonly turn: number;
  readonly act: () => unknown;
}

/** What is to happen when, on a clock that jumps from one event to the next. */
export class Agenda {
  #nowMs = 0;
  #turns = 0;
  /** A binary heap: the next event first. */
  readonly #heap: Entry[] = [];

  /** The clock, in milliseconds. */
  readonly now = (): number => this.#nowMs;

  /** Events of one moment happen in the order in which they were entered. */
  at(atMs: number, act: () => unknown): void {
    this.#turns += 1;
    const entry = { atMs, turn: this.#turns, act };
    let place = this.#heap.push(entry) - 1;
    while (place > 0) {
      const parent = (place - 1) >> 1;
      const above = this.#heap[parent];
      if (above === undefined || isBefore(above, entry)) break;
      this.#heap[place] = above;
      place = parent;
    }
    this.#heap[place] = entry;
  }

  /** Resolves when so much time has passed. */
  wait(ms: number): Promise<void> {
    return new Promise((resolve) => {
      this.at(this.#nowMs + ms, () => {
        resolve();
        return WAKES;
      });
    });
  }

  /** Lets everything happen until then; whatever an event sets going gets as far as it can before the next. */
  async run(untilMs: number): Promise<void> {
    for (let next = this.#heap[0]; next !== undefined; next = this.#heap[0]) {
      if (next.atMs > untilMs) break;
      this.#pop();
      this.#nowMs = next.atMs;
      // oxlint-disable-next-line no-await-in-loop -- one event after the other
      if (next.act() instanceof Promise) await turnOfTheLoop();
    }
    this.#nowMs = Math.max(this.#nowMs, Number.isFinite(untilMs) ? untilMs : 0);
  }

  #pop(): void {
    const last = this.#heap.pop();
    if (last === undefined || this.#heap.length === 0) return;
    let place = 0;
    for (;;) {
      const left = 2 * place + 1;
      const right = left + 1;
      const [one, other] = [this.#heap[left], this.#heap[right]];
      if (one === undefined) break;
      const isRight = other !== undefined && isBefore(other, one);
      const child = isRight ? other : one;
      if (isBefore(last, child)) break;
      this.#heap[place] = child;
      place = isRight ? right : left;
    }
    this.#heap[place] = last;
  }
}

/** Somebody goes on behind a promise. */
const WAKES: Promise<void> = Promise.resolve();

function isBefore(one: Entry, other: Entry): boolean {
  return one.atMs === other.atMs ? one.turn < other.turn : one.atMs < other.atMs;
}

/** All promises that can go on have gone on. */
function turnOfTheLoop(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}
