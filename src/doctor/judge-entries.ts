import { isJsonObject, listOf } from '../json.ts';
import { type Difference, differences } from './entry-differences.ts';
import { notLookedAt } from './fact.ts';
import type { Facts } from './facts.ts';
import type { Finding, Status } from './finding.ts';
import { admissionEntries, CONFIGURATION_KIND, registrationsOf } from './judge-registration.ts';
import { type PatchOperation, patchCommand } from './patch-command.ts';
import { reinstalling } from './remedy.ts';
import { shippedEntries } from './shipped-entries.ts';

/** How much it matters that a field is another; what is not here is a warning. */
const FATAL: ReadonlySet<string> = new Set(['failurePolicy', 'rules', 'namespaceSelector']);

const CONSEQUENCES: Readonly<Record<string, string>> = {
  rules: 'what its rules leave out is never pinned',
  namespaceSelector: 'it is called for other namespaces than their labels say',
  failurePolicy: 'while tagpin is down nothing in these namespaces can be made or changed',
  matchConditions: 'it may be passed over for what it should see',
  reinvocationPolicy: 'containers that other webhooks add are not pinned',
  timeoutSeconds: 'look-ups get another time than tagpin is made for',
  sideEffects: 'dry runs may be refused',
  matchPolicy: 'requests by other versions of an API go by',
  objectSelector: 'it is passed over for objects by their labels',
};

export function judgeEntries(facts: Facts): readonly Finding[] {
  const id = 'webhook-entries';
  if (facts.configurations.state === 'unread') return [notLookedAt(id, facts.configurations)];
  const [registration] = registrationsOf(facts);
  const called = registration === undefined ? 0 : admissionEntries(registration.object).length;
  if (registration === undefined || called === 0) {
    return [{ id, status: 'warning', says: 'not looked at: there is none' }];
  }
  const webhooks = listOf(registration.object, 'webhooks').filter(isJsonObject);
  const all = shippedEntries(facts.installation.namespace);
  const wrong = all.flatMap((shipped): readonly Finding[] => {
    const index = webhooks.findIndex(({ name }) => name === shipped.name);
    const webhook = webhooks[index];
    if (webhook === undefined) {
      const says = `this entry is missing, of ${all.length}; ${called} call tagpin`;
      return [{ id, about: shipped.name, status: 'failed', says, ...reinstalling(facts) }];
    }
    return differences(webhook, shipped).map(
      (difference): Finding => ({
        id,
        about: shipped.name,
        ...toldOf(difference),
        command: commandFor({ difference, index, name: shipped.name }, registration.name),
      }),
    );
  });
  if (wrong.length > 0) return wrong;
  return [{ id, about: registration.name, status: 'ok', says: 'as this version ships them' }];
}

function toldOf({ field, is, wanted }: Difference): Pick<Finding, 'status' | 'says' | 'advice'> {
  const status: Status = FATAL.has(field) ? 'failed' : 'warning';
  const isShort = typeof wanted !== 'object';
  const verb = Array.isArray(wanted) ? 'are' : 'is';
  const said = isShort
    ? `its ${field} is ${JSON.stringify(is)}`
    : `its ${field} ${verb} not as shipped`;
  return {
    status,
    says: `${said}: ${CONSEQUENCES[field] ?? 'it is another than tagpin is made for'}`,
    advice: isShort
      ? `set it to ${JSON.stringify(wanted)}`
      : `set its ${field} as shipped, if nobody meant the change`,
  };
}

function commandFor(
  where: { readonly difference: Difference; readonly index: number; readonly name: string },
  configuration: string,
): string {
  const { difference, index, name } = where;
  const at = `/webhooks/${index}`;
  const patch: readonly PatchOperation[] = [
    { op: 'test', path: `${at}/name`, value: name },
    { op: 'add', path: `${at}/${difference.field}`, value: difference.wanted },
  ];
  return patchCommand(CONFIGURATION_KIND, configuration, patch);
}
