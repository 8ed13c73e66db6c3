import { describe, expect, it } from '@jest/globals';

import { admissiblePodSpec } from '../../src/workload/admissible-pod.ts';

const CONTAINER = { name: 'web', image: 'a:1' };

describe('admissiblePodSpec()', () => {
  it('has in each container what the standard `restricted` and quotas ask for', () => {
    const containers = [CONTAINER, { name: 'more', image: 'b:1' }];
    const amount = { cpu: '1m', memory: '1Mi' };
    expect(
      admissiblePodSpec({ containers, serviceAccount: undefined, imagePullSecrets: [] }),
    ).toEqual({
      restartPolicy: 'Never',
      automountServiceAccountToken: false,
      containers: containers.map((container) => ({
        ...container,
        resources: { requests: amount, limits: amount },
        securityContext: {
          allowPrivilegeEscalation: false,
          capabilities: { drop: ['ALL'] },
          runAsNonRoot: true,
          seccompProfile: { type: 'RuntimeDefault' },
        },
      })),
    });
  });

  it('has the account and the pull secrets that are named', () => {
    const imagePullSecrets = [{ name: 'regcred' }];
    expect(
      admissiblePodSpec({ containers: [CONTAINER], serviceAccount: 'web', imagePullSecrets }),
    ).toMatchObject({ serviceAccountName: 'web', imagePullSecrets });
  });
});
