import { Agent } from 'node:https';

import { post } from './post.ts';

/** What became of reviews that were sent at an even rate. */
export interface SteadyResult {
  readonly sent: number;
  /** Answers without a patch, other statuses, calls that failed, and those that had no room. */
  readonly failed: number;
  /** From the moment when each was due, so that a queue before the webhook counts. */
  readonly p50Ms: number;
  readonly p99Ms: number;
}

export interface SteadyOptions {
  readonly url: string;
  /** The certificate authority of the webhook, in PEM. */
  readonly authority: string;
  /** The body of the n-th review. */
  readonly body: (n: number) => string;
  readonly perSecond: number;
}

export interface SteadyLoad {
  /** Ends it, and waits for what is under way. */
  readonly stop: () => Promise<SteadyResult>;
}

const TICK_MS = 10;
const MAX_CONNECTIONS = 64;
/** More are not sent: a webhook that cannot keep up would otherwise be measured for hours. */
const MAX_UNDER_WAY = 2000;

/** Sends reviews at an even rate until it is stopped, whether they are answered or not. */
export function startSteadyLoad(options: SteadyOptions): SteadyLoad {
  const { authority, perSecond, url, body } = options;
  const agent = new Agent({ ca: authority, keepAlive: true, maxSockets: MAX_CONNECTIONS });
  const startedAtMs = performance.now();
  const times: number[] = [];
  const pending = new Set<Promise<void>>();
  let sent = 0;
  let failed = 0;
  const send = async (dueAtMs: number, text: string): Promise<void> => {
    if (!(await isPatched(url, agent, text))) failed += 1;
    times.push(performance.now() - dueAtMs);
  };
  const tick = (): void => {
    const due = ((performance.now() - startedAtMs) * perSecond) / 1000;
    for (; sent < due; sent += 1) {
      const dueAtMs = startedAtMs + (sent * 1000) / perSecond;
      if (pending.size >= MAX_UNDER_WAY) {
        failed += 1;
        continue;
      }
      const call = send(dueAtMs, body(sent));
      pending.add(call);
      void call.then(() => pending.delete(call));
    }
  };
  const timer = setInterval(tick, TICK_MS);
  return {
    stop: async () => {
      clearInterval(timer);
      await Promise.all(pending);
      agent.destroy();
      const sorted = times.toSorted((a, b) => a - b);
      const at = (share: number): number => sorted[Math.floor(sorted.length * share)] ?? Number.NaN;
      return { sent, failed, p50Ms: at(0.5), p99Ms: at(0.99) };
    },
  };
}

async function isPatched(url: string, agent: Agent, body: string): Promise<boolean> {
  try {
    const { status, text } = await post(url, agent, body);
    return status === 200 && text.includes('"patch":');
  } catch {
    // Counted among those that failed.
    return false;
  }
}
