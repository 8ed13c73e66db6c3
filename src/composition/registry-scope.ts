import type { ServeSettings } from '../config.ts';
import { canonicalJson } from '../json.ts';
import { REGISTRY_SETTINGS } from '../settings/registry-settings.ts';

/**
 * What a digest depends on beside image and credentials, as text. Processes that would ask other
 * places, or believe other answers, share no digests, and neither do those before and after a restart.
 */
export function registryScope(settings: ServeSettings): string {
  const names = [...Object.keys(REGISTRY_SETTINGS), 'anonymousFallback'];
  const values = Object.entries(settings).filter(([name]) => names.includes(name));
  return canonicalJson(Object.fromEntries(values));
}
