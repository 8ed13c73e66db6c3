import type { HandlerParts } from '../admission/handler.ts';
import type { ServeSettings } from '../config.ts';
import { compileGlobs } from '../image/glob.ts';

/** What says which images are pinned, and how. */
type Pinning = Pick<
  HandlerParts,
  'decision' | 'refreshPolicy' | 'referenceForm' | 'refusesShortNames' | 'untouched'
>;

/** The same for the webhook, and for whoever tells what it would do. */
export function pinningOf(
  settings: Pick<
    ServeSettings,
    'allowSkipInEnforce' | 'referenceForm' | 'refreshPolicy' | 'shortNames' | 'skip' | 'skipOwner'
  >,
): Pinning {
  const foreignOwners = new Set(settings.skipOwner);
  return {
    refusesShortNames: settings.shortNames === 'refuse',
    decision: {
      isSkipped: compileGlobs(settings.skip),
      allowSkipInEnforce: settings.allowSkipInEnforce,
    },
    untouched: { isForeignOwner: ({ group, kind }) => foreignOwners.has(`${group}/${kind}`) },
    refreshPolicy: settings.refreshPolicy,
    referenceForm: settings.referenceForm,
  };
}
