import { afterAll, beforeAll, expect } from '@jest/globals';

import { eventually } from './eventually.ts';
import { Kubectl } from './kubectl.ts';
import { installComponent } from './manifests.ts';
import { matchConditionErrors } from './match-conditions.ts';
import { sumSeries } from './metrics.ts';
import { createNamespace } from './test-namespace.ts';
import {
  type PodTemplate,
  podTemplateOf,
  type StoredObject,
  type WorkloadKind,
  workload,
} from './workload.ts';

const POLICY = 'tagpin-keep-pins';

/**
 * Installs the policy that puts pins back inside the API server, for the tests of a file. None of
 * its expressions may fail in any of them, as nobody but a metric would hear of it.
 */
export function useKeepPins(kubeconfig: string): void {
  const admin = new Kubectl(kubeconfig);
  let remove: () => Promise<void>;
  let errorsBefore: number;
  beforeAll(async () => {
    remove = await installComponent(admin, 'keep-pins');
    await untilInForce(await createNamespace(kubeconfig, { mode: 'warn' }));
    errorsBefore = await errors(admin);
  });
  afterAll(async () => {
    try {
      expect(await errors(admin)).toBe(errorsBefore);
    } finally {
      await remove();
    }
  });
}

/** How often the policy could not be evaluated, since the API server started. */
async function errors(admin: Kubectl): Promise<number> {
  const { stdout } = await admin.run(['get', '--raw', '/metrics']);
  const metric = 'apiserver_mutating_admission_policy_check_total';
  const all = sumSeries(stdout, metric, { policy: POLICY });
  const right = sumSeries(stdout, metric, { policy: POLICY, error_type: 'no_error' });
  return all - right + (await matchConditionErrors(admin, POLICY, 'policy'));
}

/** The pod template of an object, as it is stored. */
export async function templateOf(
  kubectl: Kubectl,
  kind: WorkloadKind,
  name: string = 'web',
): Promise<PodTemplate> {
  return podTemplateOf(await kubectl.get<StoredObject>(kind, name));
}

/** Puts an object in the place of the one that is stored; gives the template that is then. */
export async function replaceBy(
  kubectl: Kubectl,
  kind: WorkloadKind,
  options: Parameters<typeof workload>[1],
): Promise<PodTemplate> {
  await kubectl.run(['replace', '--filename=-'], { input: workload(kind, options) });
  return templateOf(kubectl, kind);
}

/** The API server takes a moment to compile a policy. */
async function untilInForce(kubectl: Kubectl): Promise<void> {
  const digest = `sha256:${'0'.repeat(64)}`;
  const tagged = 'registry.invalid/probe:1';
  await kubectl.apply(workload('PodTemplate', { image: `${tagged}@${digest}` }));
  await eventually(async () => {
    const input = workload('PodTemplate', { image: tagged });
    const options = ['--filename=-', '--dry-run=server', '--output=json'];
    const { stdout } = await kubectl.run(['replace', ...options], { input });
    const [container] = podTemplateOf(JSON.parse(stdout) as object).spec.containers;
    if (container?.image === tagged) throw new Error('The policy keep-pins is not in force');
  });
}
