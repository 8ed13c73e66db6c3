import { PinError } from '../../src/errors.ts';
import type { Turn } from '../../src/explain/turns.ts';

/** Ends a turn; throws where there is none. */
export function ended(turn: Turn | PinError | undefined): void {
  if (turn === undefined) throw new Error('there is no turn');
  if (turn instanceof PinError) throw turn;
  turn.end();
}
