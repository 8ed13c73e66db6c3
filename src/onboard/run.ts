import { inOrder } from '../contents/in-order.ts';
import type { Streams } from '../files/streams.ts';
import { writeYaml } from '../files/yaml.ts';
import { printableJson } from '../image/printable.ts';
import { Census } from './census.ts';
import type { OnboardedCluster } from './cluster.ts';
import { createFindMoves, type OnboardRegistries } from './moves.ts';
import type { Foresee } from './outlook.ts';
import { findOwners, type OwnerParts } from './owners.ts';
import { type PlanWords, plainPlan } from './plain.ts';
import { canBePinned, type Forecast, type OnboardPlan, planOf } from './plan.ts';
import { planText } from './text.ts';

export type OnboardFormat = 'text' | 'json' | 'yaml';

/** What answers as the webhook does. */
export interface OnboardEngine {
  readonly foresee: Foresee;
  readonly registries: OnboardRegistries;
  readonly isExtraKind: OwnerParts['isExtraKind'];
  readonly close: () => Promise<void>;
}

export interface OnboardPorts {
  readonly cluster: OnboardedCluster;
  /** Opened when the namespace was read. Rejects with PinError `invalid_config`. */
  readonly openEngine: () => Promise<OnboardEngine>;
  readonly streams: Streams;
}

export interface OnboardOptions extends PlanWords {
  readonly namespace: string;
  readonly format: OnboardFormat;
}

/** The webhook takes as many of one namespace; more would wait, and be late. */
const AT_A_TIME = 8;

const FORMATS: Readonly<Record<OnboardFormat, (plan: OnboardPlan, words: PlanWords) => string>> = {
  text: planText,
  json: (plan, words) => `${printableJson(plainPlan(plan, words), 2)}\n`,
  yaml: (plan, words) => writeYaml(plainPlan(plan, words)),
};

/**
 * Tells what labelling a namespace would change, and writes nothing; resolves to whether all could
 * be pinned. Rejects with a PinError.
 */
export async function runOnboard(options: OnboardOptions, ports: OnboardPorts): Promise<boolean> {
  const plan = await gather(options.namespace, ports);
  await ports.streams.out(FORMATS[options.format](plan, options));
  return canBePinned(plan);
}

async function gather(namespace: string, ports: OnboardPorts): Promise<OnboardPlan> {
  const { cluster } = ports;
  const labels = await cluster.labels();
  const census = new Census();
  for await (const object of cluster.objects()) census.add(object);
  const { foresee, registries, isExtraKind, close } = await ports.openEngine();
  try {
    const findMoves = createFindMoves(registries);
    const forecasts: Forecast[] = [];
    for await (const found of inOrder(census.candidates, AT_A_TIME, foresee)) {
      const moves = await Promise.all(found.map(findMoves));
      forecasts.push(...found.map((outlook, at) => ({ ...outlook, moves: moves[at] ?? [] })));
    }
    const owners = await findOwners(forecasts, { readOwner: cluster.owner, isExtraKind });
    const { counts, unread } = census;
    return planOf({ namespace, labels, counts, unread, forecasts, owners });
  } finally {
    await close();
  }
}
