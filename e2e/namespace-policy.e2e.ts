import { describe, expect, it } from '@jest/globals';

import { asFile } from './support/as-file.ts';
import { readEnvironment } from './support/environment.ts';
import { eventually } from './support/eventually.ts';
import { Kubectl } from './support/kubectl.ts';
import { createNamespace } from './support/test-namespace.ts';
import type { StoredObject } from './support/workload.ts';

const { kubeconfig } = readEnvironment();
const admin = new Kubectl(kubeconfig);

/** Asks for a namespace with these labels, which is not stored; '' when it would be. */
async function create(labels: Readonly<Record<string, string>>): Promise<string> {
  const metadata = { name: 'candidate', labels };
  const { exitCode, stderr } = await admin.run(['create', '--dry-run=server', '--filename=-'], {
    input: { apiVersion: 'v1', kind: 'Namespace', metadata },
    mayFail: true,
  });
  return exitCode === 0 ? '' : stderr;
}

async function attempt(...args: readonly string[]): Promise<string> {
  const { exitCode, stderr } = await admin.run(args, { mayFail: true });
  return exitCode === 0 ? '' : stderr;
}

describe('the policy of the labels of namespaces', () => {
  it('is free of type-checking warnings', async () => {
    await eventually(async () => {
      const { status } = await admin.get<{ status: object }>(
        'validatingadmissionpolicies',
        'tagpin-namespace-labels',
      );
      expect(status).toHaveProperty('typeChecking', {});
    });
  });

  it.each([
    [{}],
    [{ 'tagpin.dev/mode': 'pin' }],
    [{ 'tagpin.dev/mode': 'enforce' }],
    [{ 'tagpin.dev/mode': 'warn', 'tagpin.dev/level': 'pods' }],
    [{ 'tagpin.dev/validate': 'digests' }],
    [{ 'example.com/mode': 'anything' }],
  ])('stores %j', async (labels) => {
    expect(await create(labels)).toBe('');
  });

  it.each([
    ['mode', 'enforced', 'write "pin", "enforce", "warn", or leave it away'],
    ['mode', 'Pin', 'write "pin", "enforce", "warn", or leave it away'],
    ['mode', '', 'write "pin", "enforce", "warn", or leave it away'],
    ['mode', 'true', 'write "pin", "enforce", "warn", or leave it away'],
    ['level', 'pod', 'write "pods", or leave it away'],
    ['validate', 'true', 'write "digests", or leave it away'],
    ['level', 'workloads', 'write "pods", or leave it away'],
  ])('refuses %s %j', async (name, value, advice) => {
    const refusal = await create({ [`tagpin.dev/${name}`]: value });
    expect(refusal).toContain(`the label tagpin.dev/${name} is "${value}"`);
    expect(refusal).toContain(advice);
    expect(refusal).toMatch(/\[unknown_label\]$/m);
  });

  it('refuses the change of a label that is right, and not of other labels', async () => {
    const { namespace = '' } = await createNamespace(kubeconfig, { mode: 'pin' });
    const label = ['label', 'namespace', namespace, '--overwrite'];
    expect(await attempt(...label, 'tagpin.dev/mode=enforcing')).toContain('[unknown_label]');
    expect(await attempt(...label, 'a=b')).toBe('');
    expect(await attempt(...label, 'tagpin.dev/mode=enforce')).toBe('');
    expect(await attempt(...label, 'tagpin.dev/mode-')).toBe('');
  });

  it('leaves a namespace alone that had a wrong one before, which can change and go', async () => {
    const { namespace = '' } = await createNamespace(kubeconfig);
    const binding = ['validatingadmissionpolicybinding', 'tagpin-namespace-labels'];
    const stored = await admin.get<StoredObject>(...binding);
    const label = ['label', 'namespace', namespace, '--overwrite'];
    await admin.run(['delete', ...binding]);
    try {
      await eventually(async () => {
        expect(await attempt(...label, 'tagpin.dev/mode=old')).toBe('');
      });
    } finally {
      await admin.apply(asFile(stored));
    }
    await eventually(async () => {
      // Another one each time: the one that slips through is an old one then.
      const value = `new-${Math.round(performance.now())}`;
      expect(await attempt(...label, `tagpin.dev/mode=${value}`)).toContain('[unknown_label]');
    });

    expect(await attempt(...label, 'a=b')).toBe('');
    expect(await attempt('delete', 'namespace', namespace, '--timeout=50s')).toBe('');
  });
});
