import type { Entry } from '../certificates/entries.ts';
import { isJsonObject, type JsonObject, listOf, objectAt, textOf } from '../json.ts';
import { commandOf } from '../shell.ts';
import { notLookedAt, valueOf } from './fact.ts';
import type { Facts } from './facts.ts';
import type { Finding, Remedy } from './finding.ts';
import { admissionEntries, registrationsOf } from './judge-registration.ts';
import { reinstalling } from './remedy.ts';

const ID = 'webhook-target';

/** Where the entries of tagpin's configuration lead: each origin once, and the Service. */
export function judgeTarget(facts: Facts): readonly Finding[] {
  if (facts.configurations.state === 'unread') return [notLookedAt(ID, facts.configurations)];
  const [registration] = registrationsOf(facts);
  const entries = registration === undefined ? [] : admissionEntries(registration.object);
  if (registration === undefined || entries.length === 0) {
    return [{ id: ID, status: 'warning', says: 'not looked at: no entry calls tagpin' }];
  }
  const origins = new Set(entries.flatMap(originOf));
  const usesService = entries.some(({ target }) => target.kind === 'service');
  return [
    ...[...origins].map((origin) => judgeAddress(origin, facts)),
    ...(usesService ? [judgeService(servicesIn(registration.object), facts)] : []),
  ];
}

function originOf({ target }: Entry): string[] {
  return target.kind === 'url' ? [target.origin] : [];
}

function judgeAddress(origin: string, { handshakes, trials }: Facts): Finding {
  const handshake = handshakes.get(origin);
  if (handshake?.state === 'shown') {
    return { id: ID, about: origin, status: 'ok', says: 'answers' };
  }
  const why = handshake?.state === 'unreachable' ? handshake.why : 'it was not asked';
  // The API server may reach what this machine does not, and it alone has to.
  const isNotReached = trials.some(({ seen }) => seen.by === 'nobody');
  const says = `nothing answers there that speaks TLS: ${why}`;
  const start = 'see that tagpin runs there, and that the address is right';
  if (isNotReached) return { id: ID, about: origin, status: 'failed', says, advice: start };
  return { id: ID, about: origin, status: 'warning', says: `${says}, from here`, advice: start };
}

/** What entries say of the Service that they call. */
interface CalledService {
  readonly namespace: string;
  readonly name: string;
  readonly port: number;
}

/** Where a Service's entry names none (k8s.io/api admissionregistration/v1 ServiceReference). */
const HTTPS_PORT = 443;

function servicesIn(configuration: JsonObject): readonly CalledService[] {
  const webhooks = listOf(configuration, 'webhooks').filter(isJsonObject);
  return webhooks.flatMap((webhook) => {
    const service = objectAt(webhook, ['clientConfig', 'service']);
    if (service === undefined) return [];
    const { port = HTTPS_PORT } = service;
    const [namespace = '', name = ''] = [textOf(service, 'namespace'), textOf(service, 'name')];
    return [{ namespace, name, port: Number(port) }];
  });
}

function judgeService(called: readonly CalledService[], facts: Facts): Finding {
  const { service, installation } = facts;
  const { namespace } = installation;
  const about = `${namespace}/tagpin`;
  const failed = (says: string, remedy: Remedy): Finding => ({
    id: ID,
    about,
    status: 'failed',
    says,
    ...remedy,
  });
  const stray = called.find((one) => one.namespace !== namespace || one.name !== 'tagpin');
  if (stray !== undefined) {
    const other = `${stray.namespace}/${stray.name}`;
    return failed(`an entry calls the Service ${other}`, reinstalling(facts));
  }
  if (service.state === 'unread') return notLookedAt(ID, service, about);
  if (service.state === 'absent') return failed('there is no such Service', reinstalling(facts));
  const ports = listOf(objectAt(service.value, ['spec']) ?? {}, 'ports').filter(isJsonObject);
  const wrong = called.find(({ port }) => !ports.some((one) => one['port'] === port));
  if (wrong !== undefined) {
    const says = `an entry calls its port ${wrong.port}, which it has not`;
    return failed(says, reinstalling(facts));
  }
  return judgeEndpoints(about, facts);
}

function judgeEndpoints(about: string, { endpointSlices, pods, installation }: Facts): Finding {
  if (endpointSlices.state === 'unread') return notLookedAt(ID, endpointSlices, about);
  const slices = endpointSlices.state === 'read' ? endpointSlices.value : [];
  const endpoints = slices.flatMap((slice) => listOf(slice, 'endpoints')).filter(isJsonObject);
  // Absent means ready (k8s.io/api discovery/v1 EndpointConditions).
  const ready = endpoints.filter((one) => objectAt(one, ['conditions'])?.['ready'] !== false);
  if (ready.length > 0) {
    const says = `${ready.length} ready behind it`;
    return { id: ID, about, status: 'ok', says };
  }
  const count = valueOf(pods)?.length;
  const known = count === undefined ? '' : `: of ${count} Pods of tagpin none is ready`;
  return {
    id: ID,
    about,
    status: 'failed',
    says: `nothing is ready behind it${known}`,
    advice: 'see what the Pods wait for: events, and the log, which says why one is not ready',
    command: commandOf(
      'kubectl',
      'describe',
      'pods',
      '--namespace',
      installation.namespace,
      '--selector',
      'app.kubernetes.io/name=tagpin',
    ),
  };
}
