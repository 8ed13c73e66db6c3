import { describe, expect, it } from '@jest/globals';
import { parse } from 'yaml';

import { SERVE_SETTINGS } from '../../src/config.ts';
import { type Setting, variableOf } from '../../src/settings/setting.ts';
import { readDocument } from './documents.ts';

interface Patch {
  spec: {
    template: {
      spec: {
        containers: {
          name: string;
          env: { name: string; value?: string }[];
          volumeMounts: { name: string; mountPath: string }[];
        }[];
        volumes: {
          name: string;
          secret: { secretName: string; items?: { key: string; path: string }[] };
        }[];
      };
    };
  };
}

const FOLDER = 'components/shared-cache';
const { patches } = readDocument(`${FOLDER}/kustomization.yaml`) as {
  patches: { patch: string }[];
};
const { spec } = (parse(patches[0]?.patch ?? '') as Patch).spec.template;
const [container] = spec.containers;

describe('the component shared-cache', () => {
  it('sets variables that the code knows', () => {
    const known = Object.values<Setting<unknown>>(SERVE_SETTINGS).map(variableOf);
    const names = container?.env.map(({ name }) => name) ?? [];
    expect(names).toHaveLength(4);
    expect(known).toEqual(expect.arrayContaining(names));
  });

  it('names files that are mounted of Secrets', () => {
    const { env = [], volumeMounts = [] } = container ?? {};
    const files = env.flatMap(({ value }) => value ?? []);
    const held = volumeMounts.flatMap(({ name, mountPath }) => {
      const volume = spec.volumes.find((one) => one.name === name);
      const { secretName, items = [{ key: 'key', path: 'key' }] } = volume?.secret ?? {};
      return items.map(({ path }) => [`${mountPath}/${path}`, secretName]);
    });
    expect(Object.fromEntries(held)).toEqual({
      '/installation-key/key': 'tagpin-installation-key',
      '/shared-cache/password': 'tagpin-shared-cache',
      '/shared-cache/ca.crt': 'tagpin-shared-cache',
    });
    expect(new Set(files)).toEqual(new Set(held.map(([file]) => file)));
  });

  it('lets the Pods of the Deployment reach the server', () => {
    const deployment = readDocument('base/deployment.yaml') as {
      spec: { template: { metadata: { labels: Record<string, string> } } };
    };
    const { port } = SERVE_SETTINGS.sharedCache.parse('rediss://cache.example.com') ?? {};
    expect(readDocument(`${FOLDER}/network-policy.yaml`)).toMatchObject({
      metadata: { namespace: 'tagpin-system' },
      spec: {
        podSelector: { matchLabels: deployment.spec.template.metadata.labels },
        policyTypes: ['Egress'],
        egress: [{ ports: [{ port }] }],
      },
    });
  });
});
