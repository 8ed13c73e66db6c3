import { setTimeout as delay } from 'node:timers/promises';

import { parseJson } from '../../src/json.ts';
import type { Random } from '../simulation/random.ts';
import type { Admission, Mode } from './admission.ts';
import type { Answer, ClusterApi } from './cluster-api.ts';
import type { Ledger } from './ledger.ts';
import { outcomeOf } from './pod-template.ts';
import type { SoakTag } from './soak-tag.ts';

/** What whoever makes objects has. */
export interface MakerParts {
  readonly api: ClusterApi;
  readonly ledger: Ledger;
  readonly tags: readonly SoakTag[];
  readonly random: Random;
  readonly mode: Mode;
  /** Part of the names of what it makes. */
  readonly name: string;
  readonly isOver: () => boolean;
}

const RETRY_MS = 100;

/** Asks until the API server answers for itself: it is stopped, killed and cut off here. */
export async function insist(ask: () => Promise<Answer>): Promise<Answer> {
  for (;;) {
    const answer = await ask();
    if (!isNoAnswer(answer)) return answer;
    await delay(RETRY_MS);
  }
}

/** Whether nobody knows what became of it. */
export function isNoAnswer({ status }: Answer): boolean {
  return status === 0 || status === 429 || status >= 500;
}

/** The same admission, with what was found stored later, and without warnings. */
export function foundLater(admission: Admission, { text, untilMs }: Answer): Admission {
  const outcome = outcomeOf({ id: '', fromMs: 0, untilMs, status: 200, text, warnings: [] });
  if (outcome.kind !== 'stored') return admission;
  return { ...admission, untilMs, outcome: { ...outcome, warnings: undefined } };
}

export function bodyOf({ text }: Answer): object {
  const body = parseJson(text);
  return typeof body === 'object' && body !== null ? body : {};
}
