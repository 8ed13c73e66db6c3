import { describe, expect, it } from '@jest/globals';

import { SERVE_SETTINGS } from '../../src/config.ts';
import { readDocument } from './documents.ts';

interface Container {
  args: string[];
  ports: { name: string; containerPort: number }[];
  volumeMounts: { name: string; mountPath: string }[];
}

interface Deployment {
  spec: {
    selector: { matchLabels: Record<string, string> };
    template: {
      metadata: { labels: Record<string, string> };
      spec: {
        containers: Container[];
        volumes: { name: string; secret: { secretName: string } }[];
      };
    };
  };
}

const { spec } = readDocument('base/deployment.yaml') as Deployment;
const pod = spec.template.spec;
const container = pod.containers[0]!;
const [command, ...flags] = container.args;

function flagValue(name: string): string | undefined {
  return flags.find((flag) => flag.startsWith(`${name}=`))?.slice(name.length + 1);
}

function portOf(name: string): number | undefined {
  return container.ports.find((port) => port.name === name)?.containerPort;
}

describe('the Deployment', () => {
  it('starts the server with settings that the code knows and accepts', () => {
    expect(command).toBe('serve');
    const settings = Object.values(SERVE_SETTINGS);
    for (const flag of flags) {
      const [name = '', value = ''] = flag.split(/=(.*)/s);
      const setting = settings.find((candidate) => candidate.flag.split(' ')[0] === name);
      expect(setting?.flag).toContain(name);
      expect(() => setting?.parse(value)).not.toThrow();
    }
  });

  it('opens the ports that it names', () => {
    expect(flagValue('--listen')).toBe(`0.0.0.0:${portOf('webhook')}`);
    expect(flagValue('--operations-listen')).toBe(`0.0.0.0:${portOf('operations')}`);
  });

  it('reads the certificate where the Secret is mounted', () => {
    const [mount] = container.volumeMounts;
    const volume = pod.volumes.find(({ name }) => name === mount?.name);
    expect(volume?.secret.secretName).toBe('tagpin-tls');
    expect(flagValue('--tls-cert')).toBe(`${mount?.mountPath}/tls.crt`);
    expect(flagValue('--tls-key')).toBe(`${mount?.mountPath}/tls.key`);
  });

  it('satisfies the restricted Pod Security Standard, and more', () => {
    expect(pod).toMatchObject({
      automountServiceAccountToken: true,
      enableServiceLinks: false,
      securityContext: {
        runAsNonRoot: true,
        runAsUser: 65532,
        seccompProfile: { type: 'RuntimeDefault' },
      },
    });
    expect(container).toMatchObject({
      securityContext: {
        allowPrivilegeEscalation: false,
        readOnlyRootFilesystem: true,
        capabilities: { drop: ['ALL'] },
      },
      resources: { limits: { memory: expect.any(String) } },
    });
    expect(readDocument('base/namespace.yaml')).toMatchObject({
      metadata: { labels: { 'pod-security.kubernetes.io/enforce': 'restricted' } },
    });
  });

  it('keeps answering while it is replaced', () => {
    expect(spec).toMatchObject({
      replicas: 2,
      strategy: { rollingUpdate: { maxUnavailable: 0 } },
    });
  });

  it('leaves time for the drain and for the longest call of the API server', () => {
    const longestCallMs = 30_000;
    const drainMs = SERVE_SETTINGS.drainTime.parse(SERVE_SETTINGS.drainTime.fallback ?? '');
    const { terminationGracePeriodSeconds } = pod as { terminationGracePeriodSeconds?: number };
    expect(terminationGracePeriodSeconds).toBeGreaterThanOrEqual((longestCallMs + drainMs) / 1000);
  });

  it('is probed on the operations port', () => {
    expect(container).toMatchObject({
      readinessProbe: { httpGet: { path: '/readyz', port: 'operations' } },
      livenessProbe: { httpGet: { path: '/healthz', port: 'operations' } },
    });
  });

  it.each(['service', 'pod-disruption-budget', 'network-policy'])(
    'is what the %s selects',
    (file) => {
      const { labels } = spec.template.metadata;
      const selectors: Record<string, object> = {
        service: { selector: labels },
        'pod-disruption-budget': { selector: { matchLabels: labels } },
        'network-policy': { podSelector: { matchLabels: labels } },
      };
      expect(readDocument(`base/${file}.yaml`)).toMatchObject({ spec: selectors[file] });
      expect(spec.selector.matchLabels).toEqual(labels);
    },
  );

  it('is reached through port 443 of its Service', () => {
    expect(readDocument('base/service.yaml')).toMatchObject({
      metadata: { name: 'tagpin', namespace: 'tagpin-system' },
      spec: { ports: [{ port: 443, targetPort: 'webhook' }] },
    });
    expect(portOf('webhook')).toBe(8443);
  });
});
