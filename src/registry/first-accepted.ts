import type { Credential } from '../credentials/credential.ts';
import { PinError } from '../errors.ts';
import { type Attempt, type Try, triesOf } from './offers.ts';
import { refusedAll } from './refusal.ts';

/** With what a registry is asked this time. */
export interface Offered extends Pick<Try, 'known'> {
  readonly credential: Credential | undefined;
}

/**
 * Asks with one credential after the other until one is accepted, as kubelet does. Throws PinError:
 * the first refusal, with all that was tried, or what no other credential would mend.
 */
export async function firstAccepted<T>(
  attempt: Attempt,
  ask: (offered: Offered) => Promise<T>,
): Promise<{ readonly found: T; readonly attempts: number }> {
  const { refusals } = attempt;
  for await (const { offer, source, known } of triesOf(attempt)) {
    try {
      const found = await ask({ credential: offer?.credential, known });
      return { found, attempts: refusals.length + 1 };
    } catch (caught) {
      if (!(caught instanceof PinError) || !caught.rule.nextCredential) throw caught;
      refusals.push({ error: caught, offer, source });
    }
  }
  throw refusedAll(refusals, attempt.problems);
}
