import { isEntryName } from '../admission/entry-name.ts';
import type { Mode } from '../admission/policy.ts';
import { objectAt } from '../json.ts';
import type { AskApiServer } from './api-server.ts';
import type { Fact } from './fact.ts';
import type { FailedOpen, Searched } from './facts.ts';
import { notRead } from './reader.ts';
import type { Sample } from './sample.ts';
import { readTrial, type Trial, type Tried, trialPod } from './trial.ts';

/** What was tried, and what the API server counted meanwhile. */
interface Tries {
  readonly trials: readonly Trial[];
  readonly failedOpen: Fact<FailedOpen>;
}

/** Tries a Pod in one namespace of each mode: one with images that run, where there is one. */
export async function makeTrials(
  ask: AskApiServer,
  searched: readonly Searched[],
  samples: readonly (readonly Sample[])[],
): Promise<Tries> {
  const chosen = new Map<Mode, Tried>();
  for (const [index, { namespace, mode }] of searched.entries()) {
    if (mode === undefined) continue;
    const sample = samples[index]?.[0];
    const isBetter = chosen.get(mode)?.sample === undefined && sample !== undefined;
    if (!chosen.has(mode) || isBetter) chosen.set(mode, { namespace, mode, sample });
  }
  const before = await countFailedOpen(ask);
  const trials = await Promise.all([...chosen.values()].map((tried) => tryIn(ask, tried)));
  const after = await countFailedOpen(ask);
  if (before.state !== 'read') return { trials, failedOpen: before };
  if (after.state !== 'read') return { trials, failedOpen: after };
  const meanwhile = Math.max(0, after.value - before.value);
  return { trials, failedOpen: { state: 'read', value: { inAll: after.value, meanwhile } } };
}

async function tryIn(ask: AskApiServer, tried: Tried): Promise<Trial> {
  const { namespace, mode } = tried;
  const right = `create pods --namespace ${namespace}`;
  const isAllowed = await mayCreate(ask, namespace);
  if (!isAllowed) {
    const seen = { by: 'unknown', why: `you may not ${right}`, right } as const;
    return { namespace, mode, seen, sample: undefined };
  }
  const path = `/api/v1/namespaces/${namespace}/pods?dryRun=All`;
  return readTrial(tried, await ask({ method: 'POST', path, body: trialPod(tried) }));
}

/** What anybody may ask of himself. */
async function mayCreate(ask: AskApiServer, namespace: string): Promise<boolean> {
  const resourceAttributes = { verb: 'create', resource: 'pods', namespace };
  const path = '/apis/authorization.k8s.io/v1/selfsubjectaccessreviews';
  const answer = await ask({ method: 'POST', path, body: { spec: { resourceAttributes } } });
  return objectAt(answer.value, ['status'])?.['allowed'] === true;
}

/** Of the entry of that name (apiserver pkg/admission/metrics). */
const FAIL_OPEN =
  /^apiserver_admission_webhook_fail_open_count\{[^}]*name="([^"]*)"[^}]*\} (\S+)/gm;

async function countFailedOpen(ask: AskApiServer): Promise<Fact<number>> {
  const answer = await ask({ method: 'GET', path: '/metrics' });
  if (answer.status !== 200) return notRead({ right: 'get /metrics' }, answer);
  const own = [...answer.text.matchAll(FAIL_OPEN)].filter(([, name = '']) => isEntryName(name));
  const counts = own.map(([, , count = '0']) => Number(count));
  return { state: 'read', value: counts.reduce((sum, count) => sum + count, 0) };
}
