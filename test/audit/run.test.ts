import { describe, expect, it } from '@jest/globals';
import { parse } from 'yaml';

import type { ListedObject } from '../../src/audit/inventory.ts';
import type { AuditFormat } from '../../src/audit/report.ts';
import { runAudit } from '../../src/audit/run.ts';
import { PinError } from '../../src/errors.ts';
import { digest } from '../support/admission.ts';
import { listed, owned, podOf } from '../support/listed-objects.ts';
import { recordedStreams } from '../support/streams.ts';

const OLD = digest('a');
const NEW = digest('b');
const PINNED = { image: `nginx@${OLD}`, record: `nginx:1 ${OLD}` };

const MOVED = listed('apps/Deployment', 'moved', PINNED);
const BY_TAG = listed('apps/StatefulSet', 'tag', { image: 'redis:1' });
const REPLICA_SET = owned(listed('apps/ReplicaSet', 'moved-1', PINNED), MOVED);
const PODS = [
  podOf(REPLICA_SET, 'a', PINNED),
  podOf(BY_TAG, 'b', { image: 'redis:1', imageID: `redis@${NEW}` }),
];

interface Ended {
  readonly passed: boolean;
  readonly out: string;
  readonly err: string;
}

async function audit(objects: readonly ListedObject[], format: AuditFormat): Promise<Ended> {
  const streams = recordedStreams();
  const passed = await runAudit(
    { format, version: '1.2.3' },
    {
      streams,
      cluster: {
        // oxlint-disable-next-line require-await -- objects come one after the other
        objects: async function* () {
          yield* objects;
        },
        platforms: () => Promise.resolve(undefined),
      },
      openRegistries: () =>
        Promise.resolve({
          resolve: (image) => {
            const found = image.includes('@') ? OLD : NEW;
            return Promise.resolve({ digest: found, mediaType: undefined });
          },
          // oxlint-disable-next-line require-yield, require-await -- it does not tell
          tags: async function* () {
            throw new PinError('unauthorized', 'no');
          },
          entries: () => Promise.reject(new Error('no index is here')),
        }),
    },
  );
  return { passed, ...streams.written };
}

const ALL = [MOVED, BY_TAG, REPLICA_SET, ...PODS];

describe('runAudit', () => {
  it('writes a line for each finding, sums up, and fails for what is not pinned', async () => {
    expect(await audit(ALL, 'text')).toEqual({
      passed: false,
      out: [
        `note: shop/Deployment/moved container "web": nginx@${OLD} (nginx:1) was pinned to what its tag no longer names: ${NEW}, in 1 Pod; kubectl rollout restart takes the new digest [moved]\n`,
        'error: shop/StatefulSet/tag container "web": redis:1 has no digest, in 1 Pod; label its namespace, or run tagpin pin on its manifest [unpinned]\n',
      ].join(''),
      err: [
        '2 images of workloads: 0 pinned and as their tags have it\n',
        'moved 1, unpinned 1\n',
        'Nodes may not be listed: whether a digest is of one platform alone was not looked at\n',
      ].join(''),
    });
  });

  it('passes where only notes are left', async () => {
    expect(await audit([MOVED, REPLICA_SET], 'text')).toMatchObject({ passed: true });
  });

  it('takes a template by tag whose Pods all have digests for a note', async () => {
    const pod = podOf(BY_TAG, 'b', { image: `redis@${NEW}` });
    const { passed, out } = await audit([BY_TAG, pod], 'text');
    expect({ passed, out }).toMatchObject({
      passed: true,
      out: expect.stringContaining('[pinned_in_pods]'),
    });
  });

  it('gives the same to programs, as JSON and as YAML', async () => {
    const { out } = await audit(ALL, 'json');
    const report: unknown = JSON.parse(out);
    expect(report).toEqual({
      images: [
        {
          namespace: 'shop',
          kind: 'Deployment',
          name: 'moved',
          place: 'container "web"',
          image: `nginx@${OLD}`,
          original: 'nginx:1',
          inTemplate: true,
          pods: 1,
          findings: [{ state: 'moved', level: 'note', detail: NEW }],
        },
        {
          namespace: 'shop',
          kind: 'StatefulSet',
          name: 'tag',
          place: 'container "web"',
          image: 'redis:1',
          inTemplate: true,
          pods: 1,
          findings: [{ state: 'unpinned', level: 'error' }],
        },
      ],
      unread: 0,
    });
    expect(parse((await audit(ALL, 'yaml')).out)).toEqual(report);
  });

  it.each(['text', 'json', 'yaml', 'sarif'] as const)('moves no cursor: %s', async (format) => {
    const image = 'nginx:\u009b2J\u202e';
    const { out } = await audit([listed('apps/Deployment', 'odd', { image })], format);
    expect(out).toMatch(/9b/i);
    expect(out).not.toMatch(/[^\P{C}\n]/u);
  });

  it('names workloads as logical locations in SARIF', async () => {
    const { out } = await audit([BY_TAG], 'sarif');
    expect(JSON.parse(out)).toMatchObject({
      version: '2.1.0',
      runs: [
        {
          tool: { driver: { name: 'tagpin', version: '1.2.3' } },
          invocations: [{ executionSuccessful: true }],
          results: [
            {
              ruleId: 'unpinned',
              ruleIndex: 0,
              level: 'error',
              locations: [{ logicalLocations: [{ fullyQualifiedName: 'shop/StatefulSet/tag' }] }],
            },
          ],
        },
      ],
    });
  });

  it('lists what runs, sorted and each once, and says of what no node has told the digest', async () => {
    expect(await audit(ALL, 'images')).toEqual({
      passed: true,
      out: `nginx@${OLD}\nredis@${NEW}\n`,
      err: '',
    });
    const waiting = podOf(BY_TAG, 'c', { image: 'busybox:1' });
    expect(await audit([BY_TAG, waiting], 'images')).toEqual({
      passed: false,
      out: '',
      err: 'tagpin: of these no node has told the digest yet: busybox\n',
    });
  });

  it('writes nothing of a stranger to a terminal as it is', async () => {
    const forged = listed('apps/Deployment', 'x', { image: 'a\u001B[2J\nerror: b' });
    const { out } = await audit([forged], 'text');
    expect(out).toContain('a\\u{1b}[2J\\u{a}error: b');
    expect(out.split('\n')).toHaveLength(2);
  });
});
