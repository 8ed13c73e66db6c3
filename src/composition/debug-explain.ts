import type { ServeSettings } from '../config.ts';
import { actionIn } from '../error-codes.ts';
import { PinError } from '../errors.ts';
import { createAskers } from '../explain/askers.ts';
import { createRecorder } from '../explain/recorder.ts';
import { runExplain } from '../explain/run.ts';
import type { Streams } from '../files/streams.ts';
import type { DebugExplain } from '../server/debug.ts';
import { composeExplainer, type ExplainerParts } from './explainer.ts';

/** Whoever looks at the page, which nobody is told by name. */
const SOMEBODY = { username: '', namespace: '' };

/**
 * Explanations for the page, by the engine that serves reviews: as many as one user has, whatever is
 * asked in dry runs.
 */
export function composeDebugExplain(
  settings: Pick<ServeSettings, 'referenceForm' | 'shortNames' | 'skip'>,
  parts: ExplainerParts,
): DebugExplain {
  const { now } = parts;
  const { referenceForm } = settings;
  const explain = composeExplainer(settings, parts);
  const askers = createAskers(now);
  return async (asked, format) => {
    const turn = askers.ask(SOMEBODY);
    if (turn instanceof PinError) throw turn;
    const written: string[] = [];
    const ports: Parameters<typeof runExplain>[2] = {
      streams: streamsInto(written),
      explain: ({ image }, observe) =>
        explain({ image, identity: async () => asked }, createRecorder({ observe, now })),
      // This process reads Secrets, whoever asks.
      advise: ({ code }) => actionIn(asked.namespace, code),
    };
    try {
      await runExplain({ ...asked, pod: undefined }, { format, referenceForm }, ports);
    } finally {
      turn.end();
    }
    return written.join('');
  };
}

function streamsInto(written: string[]): Streams {
  return {
    readInput: async () => new Uint8Array(),
    out: async (text) => void written.push(String(text)),
    err: async () => {},
    isRead: () => true,
    onTerminal: { out: false, err: false },
    colours: false,
    redraws: false,
  };
}
