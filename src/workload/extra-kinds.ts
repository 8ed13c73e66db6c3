import { PinError } from '../errors.ts';
import type { Location } from './locations.ts';

const EXTRA_KIND =
  /^(?<key>[a-z0-9.-]+\/[A-Z][A-Za-z0-9]*)=(?<path>[A-Za-z0-9_-]+(?:\.[A-Za-z0-9_-]+)*)$/;

/**
 * Reads kinds such as `argoproj.io/Rollout=spec.template`: group, kind and the way to the pod
 * template.
 *
 * @throws PinError `invalid_config` that says what was expected
 */
export function parseExtraKinds(items: readonly string[]): ReadonlyMap<string, Location> {
  return new Map(items.map(parseExtraKind));
}

function parseExtraKind(item: string): [string, Location] {
  const { key, path } = EXTRA_KIND.exec(item)?.groups ?? {};
  if (key === undefined || path === undefined) {
    const example = 'argoproj.io/Rollout=spec.template';
    const fault = `expected GROUP/KIND=PATH such as ${example}, got ${JSON.stringify(item)}`;
    throw new PinError('invalid_config', `Cannot read --extra-kind: ${fault}`);
  }
  const kind = key.slice(key.indexOf('/') + 1);
  return [key, { kind, template: path.split('.'), isPod: false, immutable: false }];
}
