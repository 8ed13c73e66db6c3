import { isEntryName } from '../admission/entry-name.ts';
import { MODES } from '../admission/policy.ts';
import { entriesOf } from '../certificates/entries.ts';
import { isJsonObject, type JsonObject, listOf, textOf } from '../json.ts';
import { commandOf } from '../shell.ts';
import { nameOf } from '../workload/object-name.ts';
import { notLookedAt } from './fact.ts';
import type { Facts } from './facts.ts';
import type { Finding } from './finding.ts';
import { reinstalling } from './remedy.ts';

/** As kubectl names it. */
export const CONFIGURATION_KIND = 'mutatingwebhookconfiguration';

/** A webhook configuration that calls tagpin, or has its name. */
export interface Registration {
  readonly name: string;
  readonly object: JsonObject;
}

/** All that there are, the one of tagpin's own name first. */
export function registrationsOf({ configurations, installation }: Facts): readonly Registration[] {
  const all = configurations.state === 'read' ? configurations.value : [];
  return all
    .map((object) => ({ object, name: nameOf(object) }))
    .filter(({ object, name }) => name === installation.configuration || callsTagpin(object))
    .toSorted(
      (one, other) =>
        rank(one, installation.configuration) - rank(other, installation.configuration),
    );
}

function rank({ name }: Registration, own: string): number {
  return name === own ? 0 : 1;
}

/** By its entries' paths and names: others have webhooks at /admission/pin, too. */
function callsTagpin(configuration: JsonObject): boolean {
  const webhooks = listOf(configuration, 'webhooks').filter(isJsonObject);
  return webhooks.some((webhook) => isEntryName(textOf(webhook, 'name') ?? ''));
}

/** Which entries of a configuration call tagpin for reviews of admission. */
export function admissionEntries(configuration: JsonObject): ReturnType<typeof entriesOf> {
  return entriesOf(configuration).filter(({ route }) => route.startsWith('/admission/'));
}

export function judgeConfiguration(facts: Facts): readonly Finding[] {
  const id = 'webhook-configuration';
  const { configurations, installation } = facts;
  if (configurations.state === 'unread') return [notLookedAt(id, configurations)];
  const [first, ...others] = registrationsOf(facts);
  const failed = (says: string): Finding => ({
    id,
    about: first?.name,
    status: 'failed',
    says,
    ...reinstalling(facts),
  });
  if (first === undefined) {
    return [failed(`there is none that calls tagpin, "${installation.configuration}" or another`)];
  }
  const routes = new Set(admissionEntries(first.object).map(({ route }) => route));
  if (routes.size === 0) return [failed('no entry of it calls tagpin')];
  const missing = MODES.filter((mode) => !routes.has(`/admission/${mode}`));
  if (missing.length > 0) return [failed(`no entry calls tagpin for mode ${missing.join(', ')}`)];
  const found: Finding = {
    id,
    about: first.name,
    status: 'ok',
    says: 'calls tagpin for every mode',
  };
  const more = others.map(
    ({ name }): Finding => ({
      id,
      about: name,
      status: 'warning',
      says: `calls tagpin, too: each object is reviewed twice`,
      advice: 'look at who made it, and delete it if nobody needs it',
      command: commandOf('kubectl', 'delete', CONFIGURATION_KIND, name),
    }),
  );
  return [found, ...more];
}
