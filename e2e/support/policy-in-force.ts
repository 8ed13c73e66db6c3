import { eventually } from './eventually.ts';
import { Kubectl } from './kubectl.ts';

/** The API server takes a moment to compile a policy, to find its list, and to put it in force. */
export async function waitForPolicy(admin: Kubectl): Promise<void> {
  const namespace = { name: 'e2e-policy-probe', labels: { 'tagpin.dev/mode': 'enforce' } };
  const inNamespace = new Kubectl(admin.kubeconfig, namespace.name);
  const create = ['create', '--filename=-'];
  await admin.run(create, { input: { apiVersion: 'v1', kind: 'Namespace', metadata: namespace } });
  const pod = {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { name: 'probe' },
    spec: { containers: [{ name: 'web', image: 'registry.invalid/unpinned:1' }] },
  };
  await eventually(async () => {
    const options = { input: pod, mayFail: true };
    const { stderr } = await inNamespace.run([...create, '--dry-run=server'], options);
    if (!stderr.includes('[unpinned]')) {
      throw new Error(`The policy is not in force: ${stderr}`);
    }
  });
}
