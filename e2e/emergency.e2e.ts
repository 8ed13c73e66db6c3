import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, describe, expect, it } from '@jest/globals';

import { readEnvironment } from './support/environment.ts';
import { eventually } from './support/eventually.ts';
import { Kubectl } from './support/kubectl.ts';
import { waitForPods, waitForReplicaSet } from './support/ownership.ts';
import { pinsOf } from './support/pins.ts';
import { createNamespace } from './support/test-namespace.ts';
import { podTemplateOf, type StoredObject, workload } from './support/workload.ts';

const { kubeconfig } = readEnvironment();
const admin = new Kubectl(kubeconfig);

const PAGE = join(import.meta.dirname, '..', 'docs', 'install.md');
const IMAGE = 'registry.invalid/app:1';

/** The one command of the documentation that relabels namespaces, word by word. */
function documentedCommand(): readonly string[] {
  const lines = readFileSync(PAGE, 'utf8').split('\n');
  const commands = lines.filter((line) => line.startsWith('kubectl label namespaces --selector'));
  expect(commands).toHaveLength(1);
  return (commands[0] ?? '').split(' ').slice(1);
}

describe('in an emergency, while no webhook answers', () => {
  let enforced: Kubectl;
  let deployment: StoredObject;

  async function createPod(name: string): Promise<string> {
    const input = workload('Pod', { name, image: IMAGE });
    const { exitCode, stderr } = await enforced.run(['create', '--filename=-'], {
      input,
      mayFail: true,
    });
    return exitCode === 0 ? '' : stderr;
  }

  beforeAll(async () => {
    enforced = await createNamespace(kubeconfig, { mode: 'enforce' });
    await enforced.apply(workload('Deployment', { image: IMAGE }));
    deployment = await enforced.get<StoredObject>('deployment', 'web');
  });

  it('a Pod by tag is refused, and so are those of a Deployment', async () => {
    expect(await createPod('refused')).toContain("'tagpin-enforce'");
    const { items } = await enforced.get<{ items: object[] }>('pods');
    expect(items).toEqual([]);
  });

  it('one command lifts enforce in all namespaces, and touches no other label', async () => {
    const warned = await createNamespace(kubeconfig, { mode: 'warn' });
    const unlabelled = await createNamespace(kubeconfig);

    const { stdout } = await admin.run(documentedCommand());

    expect(stdout).toContain(`namespace/${enforced.namespace} labeled`);
    const { items } = await admin.get<{
      items: { metadata: { name: string; labels: Record<string, string> } }[];
    }>('namespaces');
    const modes = new Map(
      items.map(({ metadata }) => [metadata.name, metadata.labels['tagpin.dev/mode']]),
    );
    expect([...modes.values()]).not.toContain('enforce');
    expect(modes.get(enforced.namespace ?? '')).toBe('pin');
    expect(modes.get(warned.namespace ?? '')).toBe('warn');
    expect(modes.get(unlabelled.namespace ?? '')).toBeUndefined();
  });

  it('then Pods by tag are stored, and controllers make theirs by themselves', async () => {
    await eventually(async () => expect(await createPod('stored')).toBe(''));

    const replicaSet = await waitForReplicaSet(enforced, deployment);
    const [pod] = await waitForPods(enforced, replicaSet);
    expect(pinsOf(podTemplateOf(pod)).images).toEqual({ web: IMAGE });
  });

  it('the same label brings enforce back, and what runs goes on', async () => {
    const { namespace = '' } = enforced;
    const label = ['label', 'namespace', namespace, 'tagpin.dev/mode=enforce', '--overwrite'];
    await admin.run(label);

    await eventually(async () => {
      expect(await createPod(`again-${performance.now()}`)).toContain("'tagpin-enforce'");
    });
    await enforced.run(['label', 'pod', 'stored', 'a=b']);
  });
});
