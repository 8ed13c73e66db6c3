import { isMode, type Mode } from '../admission/policy.ts';
import { entriesOf } from '../certificates/entries.ts';
import { type JsonObject, objectAt, textOf } from '../json.ts';
import { MODE_LABEL } from '../workload/annotations.ts';
import { nameOf } from '../workload/object-name.ts';
import type { AskApiServer } from './api-server.ts';
import { type Fact, valueOf } from './fact.ts';
import type { AskedRegistry, Facts, Installation, Searched } from './facts.ts';
import { featuresOf } from './features.ts';
import type { Handshake, LookAtServer } from './handshake.ts';
import { type Read, readAll, readSecret } from './installation.ts';
import { readObject } from './reader.ts';
import { askReplicas } from './replicas-asked.ts';
import { rightsToAsk } from './right.ts';
import { askRights } from './rights-asked.ts';
import { type Sample, samplesOf } from './sample.ts';
import { neverCalled } from './shipped-entries.ts';
import { makeTrials } from './trials.ts';

/** What is asked, and how. */
export interface GatherParts {
  readonly installation: Installation;
  /** The namespaces that are tried; all that are opted in, up to ten, where there are none. */
  readonly chosen: readonly string[];
  /** Whether this runs as tagpin, in its Pod: its rights are this one's own. */
  readonly isTagpin: boolean;
  readonly ask: AskApiServer;
  readonly lookAtServer: LookAtServer;
  /** Asks registries, each by one of its images. */
  readonly askRegistries: (
    samples: readonly Sample[],
    deployment: JsonObject | undefined,
  ) => Promise<readonly AskedRegistry[]>;
}

const MAX_NAMESPACES = 10;
/** Of each of them. */
const MAX_PODS = 50;
const MAX_REGISTRIES = 20;

/**
 * Looks at the cluster, tries a Pod that is not stored, and asks registries. Rejects with a PinError
 * where the API server does not answer; what may not be read is a fact like any other.
 */
export async function gatherFacts(parts: GatherParts): Promise<Facts> {
  const { ask, installation } = parts;
  const started = Date.now();
  const first = await ask({ method: 'GET', path: '/version' });
  const localMs = (started + Date.now()) / 2;
  const version = await readObject(() => Promise.resolve(first), {
    path: '',
    right: 'get /version',
  });
  const read = await readAll(ask, installation);
  const namespaces = await namespacesOf(read, parts);
  const features = featuresOf(valueOf(read.deployment), installation.namespace);
  const secret = await readSecret(ask, features);
  const optedIn = optedInOf(namespaces, parts);
  const searched = await search(ask, optedIn);
  const samples = searched.map(({ pods }) => samplesOf(valueOf(pods) ?? []));
  const asked = await Promise.all([
    askRights(parts, features, rightsToAsk(features, installation, [...optedIn.keys()])),
    makeTrials(ask, searched, samples),
    askReplicas(ask, valueOf(read.pods) ?? []),
    parts.askRegistries(oneEach(samples.flat()), valueOf(read.deployment)),
    shakeHands(parts.lookAtServer, read.configurations),
  ]);
  const [rights, { trials, failedOpen }, replicas, registries, handshakes] = asked;
  return {
    installation,
    chosen: parts.chosen,
    localMs,
    serverMs: first.dateMs,
    version,
    ...read,
    namespaces,
    secret,
    searched,
    rights,
    trials,
    failedOpen,
    replicas,
    registries,
    handshakes,
  };
}

/** Whoever may not list them all may still look at those that he names. */
async function namespacesOf(
  { namespaces }: Read,
  { ask, chosen }: GatherParts,
): Promise<Facts['namespaces']> {
  if (namespaces.state === 'read' || chosen.length === 0) return namespaces;
  const read = await Promise.all(
    chosen.map((name) =>
      readObject(ask, { path: `/api/v1/namespaces/${name}`, right: `get namespaces/${name}` }),
    ),
  );
  const found = read.flatMap((fact) => (fact.state === 'read' ? [fact.value] : []));
  return found.length === 0 ? namespaces : { state: 'read', value: found };
}

/** The namespaces that are tried, with what they ask of tagpin. */
function optedInOf(
  namespaces: Fact<readonly JsonObject[]>,
  { chosen, installation }: GatherParts,
): ReadonlyMap<string, Mode | undefined> {
  const modes = new Map<string, Mode | undefined>(chosen.map((name) => [name, undefined]));
  const never = neverCalled(installation.namespace);
  for (const namespace of valueOf(namespaces) ?? []) {
    const name = nameOf(namespace);
    const mode = textOf(objectAt(namespace, ['metadata', 'labels']), MODE_LABEL) ?? '';
    const isMeant = chosen.length === 0 ? modes.size < MAX_NAMESPACES : modes.has(name);
    if (isMode(mode) && isMeant && !never.includes(name)) modes.set(name, mode);
  }
  return modes;
}

async function search(
  ask: AskApiServer,
  optedIn: ReadonlyMap<string, Mode | undefined>,
): Promise<readonly Searched[]> {
  return Promise.all(
    [...optedIn].map(async ([namespace, mode]) => {
      const path = `/api/v1/namespaces/${namespace}/pods?limit=${MAX_PODS}`;
      const right = `list pods --namespace ${namespace}`;
      const list = await readObject(ask, { path, right });
      return { namespace, mode, pods: itemsOf(list) };
    }),
  );
}

function itemsOf(list: Fact<JsonObject>): Fact<readonly JsonObject[]> {
  if (list.state !== 'read') return list;
  const { items } = list.value;
  return { state: 'read', value: Array.isArray(items) ? items : [] };
}

/** An image of each registry, up to twenty. */
function oneEach(samples: readonly Sample[]): readonly Sample[] {
  const first = new Map<string, Sample>();
  for (const sample of samples) {
    if (!first.has(sample.registry)) first.set(sample.registry, sample);
  }
  return [...first.values()].slice(0, MAX_REGISTRIES);
}

async function shakeHands(
  lookAtServer: LookAtServer,
  configurations: Fact<readonly JsonObject[]>,
): Promise<ReadonlyMap<string, Handshake>> {
  const targets = (valueOf(configurations) ?? []).flatMap(entriesOf).map(({ target }) => target);
  const origins = new Set(
    targets.flatMap((target) => (target.kind === 'url' ? [target.origin] : [])),
  );
  const seen = [...origins].map(
    async (origin): Promise<[string, Handshake]> => [origin, await lookAtServer(origin)],
  );
  return new Map(await Promise.all(seen));
}
