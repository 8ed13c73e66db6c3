import type { HandlerParts } from '../admission/handler.ts';
import type { ServeSettings } from '../config.ts';
import { compileGlobs } from '../image/glob.ts';

/** What says which images are pinned, and how. */
type Pinning = Pick<
  HandlerParts,
  'decision' | 'refreshPolicy' | 'referenceForm' | 'refusesShortNames' | 'untouched'
>;

type Choice = Pick<HandlerParts, 'refusesShortNames'> & Pick<HandlerParts['decision'], 'isSkipped'>;

/** Which images are looked up, by their names alone. */
export function choiceOf({ shortNames, skip }: Pick<ServeSettings, 'shortNames' | 'skip'>): Choice {
  return { isSkipped: compileGlobs(skip), refusesShortNames: shortNames === 'refuse' };
}

/** The same for the webhook, and for whoever tells what it would do. */
export function pinningOf(
  settings: Pick<
    ServeSettings,
    'allowSkipInEnforce' | 'referenceForm' | 'refreshPolicy' | 'shortNames' | 'skip' | 'skipOwner'
  >,
): Pinning {
  const { isSkipped, refusesShortNames } = choiceOf(settings);
  const foreignOwners = new Set(settings.skipOwner);
  return {
    refusesShortNames,
    decision: {
      isSkipped,
      allowSkipInEnforce: settings.allowSkipInEnforce,
    },
    untouched: { isForeignOwner: ({ group, kind }) => foreignOwners.has(`${group}/${kind}`) },
    refreshPolicy: settings.refreshPolicy,
    referenceForm: settings.referenceForm,
  };
}
