import type { ServeSettings } from '../config.ts';
import type { SecretReader } from '../credentials/read-secrets.ts';
import { type ExplainAnswer, type Explained, explain } from '../explain/explanation.ts';
import type { Recorder } from '../explain/recorder.ts';
import type { Engine } from './engine.ts';
import { choiceOf } from './pinning.ts';
import { listenerOf } from './told-resolver.ts';

/** As the webhook is called: the `timeoutSeconds` of its entries. */
const PATIENCE_MS = 10_000;

export interface ExplainerParts {
  readonly engine: Pick<Engine, 'toldTo'>;
  /** Of the cluster. */
  readonly reader: SecretReader;
  /** The clock of `performance.now()`, in milliseconds. */
  readonly now: () => number;
}

/** Without a deadline of its own it has the time of a review. */
type AskedImage = Pick<Explained, 'image' | 'identity'> & Partial<Pick<Explained, 'deadlineAtMs'>>;

/**
 * Explains images by an engine, as reviews have them looked up: for the command, the page, and dry
 * runs. What it gives rejects with PinError `invalid_config`.
 */
export function composeExplainer(
  settings: Pick<ServeSettings, 'shortNames' | 'skip'>,
  { engine, reader, now }: ExplainerParts,
): (asked: AskedImage, recorder: Recorder) => Promise<ExplainAnswer> {
  const choice = choiceOf(settings);
  return ({ deadlineAtMs = now() + PATIENCE_MS, ...asked }, recorder) => {
    const resolver = engine.toldTo(listenerOf(recorder, reader));
    return explain({ recorder, resolver, ...choice }, { ...asked, deadlineAtMs });
  };
}
