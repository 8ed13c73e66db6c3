import { describe, expect, it } from '@jest/globals';
import { parse } from 'yaml';

import type { ResolveImage } from '../../src/admission/ports.ts';
import type { ListedObject } from '../../src/audit/inventory.ts';
import { PinError } from '../../src/errors.ts';
import { compileGlobs } from '../../src/image/glob.ts';
import type { JsonObject } from '../../src/json.ts';
import { createForesight } from '../../src/onboard/outlook.ts';
import { type OnboardFormat, runOnboard } from '../../src/onboard/run.ts';
import { digest } from '../support/admission.ts';
import { controlledBy, listed, owned, podOf, withMetadata } from '../support/listed-objects.ts';
import { recordedStreams } from '../support/streams.ts';

const NOW = digest('b');
const OLD = digest('a');
const PART = digest('c');
const LOST = digest('d');
const UNTOLD = digest('e');

const CLUSTER = { apiVersion: 'postgresql.cnpg.io/v1', kind: 'Cluster', name: 'pg', uid: 'c' };
const DATABASE = { apiVersion: 'db.example.com/v1', kind: 'Database', name: 'db', uid: 'd' };
const FLEET = { apiVersion: 'db.example.com/v1', kind: 'Fleet', name: 'all', uid: 'f' };

/** What answers in the place of a registry, by the repository. */
const FAILURES: Readonly<Record<string, PinError>> = {
  absent: new PinError('not_found', 'r answered 404 (not found)'),
  secret: new PinError('unauthorized', 'r answered 401, asked without a credential'),
  corp: new PinError(
    'blocked_address',
    'r.corp:5000 is not asked: its port is not 443 (--allow-registry r.corp:5000 allows it)',
  ),
};

interface World {
  readonly objects: readonly ListedObject[];
  readonly labels?: JsonObject;
  /** By name; an error in place of an object is thrown. */
  readonly owners?: Readonly<Record<string, JsonObject | PinError>>;
  readonly format?: OnboardFormat;
  readonly extraKinds?: readonly string[];
  readonly allowSkipInEnforce?: boolean;
}

interface Ended {
  readonly passed: boolean;
  readonly out: string;
  /** What registries were asked, in their order. */
  readonly asked: readonly string[];
  readonly closed: boolean;
}

const resolveFake =
  (asked: string[]): ResolveImage =>
  ({ registry, repository, tag }) => {
    asked.push(`${registry}/${repository}:${tag}`);
    return (
      FAILURES[repository.split('/').at(-1) ?? ''] ?? {
        digest: NOW,
        host: 'registry.example.com',
        stale: false,
        ageMs: 0,
      }
    );
  };

async function onboard(world: World): Promise<Ended> {
  const streams = recordedStreams();
  const asked: string[] = [];
  let closed = false;
  const { format = 'text', allowSkipInEnforce = false, owners = {}, extraKinds = [] } = world;
  const passed = await runOnboard(
    { namespace: 'shop', format, allowSkipInEnforce },
    {
      streams,
      cluster: {
        labels: () => Promise.resolve(world.labels),
        // oxlint-disable-next-line require-await -- objects come one after the other
        objects: async function* () {
          yield* world.objects;
        },
        owner: ({ name }) => {
          const found = owners[name];
          return found instanceof PinError ? Promise.reject(found) : Promise.resolve(found);
        },
      },
      openEngine: () =>
        Promise.resolve({
          foresee: createForesight({
            resolve: resolveFake(asked),
            refusesShortNames: false,
            now: () => 1000,
            decision: { isSkipped: compileGlobs(['localhost/*']), allowSkipInEnforce },
            untouched: { isForeignOwner: ({ kind }) => kind === 'Cluster' },
            referenceForm: 'digest',
            refreshPolicy: 'restart',
          }),
          registries: {
            manifest: (reference) => {
              asked.push(reference);
              if (reference.endsWith(LOST)) return Promise.reject(new PinError('not_found', 'no'));
              const isUntold = reference.endsWith(UNTOLD);
              return isUntold
                ? Promise.reject(new PinError('rate_limited', 'no'))
                : Promise.resolve({});
            },
            entries: (image) => {
              asked.push(`index ${image}`);
              return Promise.resolve(new Set([PART]));
            },
          },
          isExtraKind: (kind) => extraKinds.includes(kind),
          close: () => {
            closed = true;
            return Promise.resolve();
          },
        }),
    },
  );
  return { passed, out: streams.written.out, asked, closed };
}

/** What a report for programs says. */
async function planOf(world: World): Promise<Record<string, unknown>> {
  return JSON.parse((await onboard({ ...world, format: 'json' })).out) as Record<string, unknown>;
}

const WEB = listed('apps/Deployment', 'web', { image: 'nginx:1' });
const WEB_SET = owned(listed('apps/ReplicaSet', 'web-1', { image: 'nginx:1' }), WEB);

function webPod(name: string, running: string): ListedObject {
  return podOf(WEB_SET, name, { image: 'nginx:1', imageID: `docker.io/library/nginx@${running}` });
}

function withStatus({ object, ...kind }: ListedObject, status: object): ListedObject {
  return { ...kind, object: { ...object, status } };
}

function withSpec({ object, ...kind }: ListedObject, more: object): ListedObject {
  return { ...kind, object: { ...object, spec: { ...(object['spec'] as object), ...more } } };
}

const NAMESPACE: readonly ListedObject[] = [
  WEB,
  listed('apps/StatefulSet', 'absent', { image: 'absent:1' }),
  listed('apps/DaemonSet', 'corp', { image: 'r.corp:5000/corp:1' }),
  WEB_SET,
  listed('batch/Job', 'job', { image: 'job:1' }),
  webPod('web-a', NOW),
  webPod('web-b', OLD),
  webPod('web-c', LOST),
  webPod('web-d', UNTOLD),
  webPod('web-e', PART),
  podOf(listed('apps/StatefulSet', 'absent', {}), 'absent-0', {
    image: 'absent:1',
    imageID: `absent@${LOST}`,
  }),
  controlledBy(listed('/Pod', 'pg-1', { image: 'pg:16' }), CLUSTER),
  controlledBy(listed('/Pod', 'db-1', { image: 'db:1' }), DATABASE),
  listed('/Pod', 'local', { image: 'localhost/dev:1' }),
  listed('/Pod', 'done', { image: `done@${OLD}` }),
];

const OWNERS = {
  pg: { spec: { imageName: 'pg:16' } },
  db: { metadata: { ownerReferences: [{ controller: true, ...FLEET }] }, spec: {} },
  all: new PinError('cluster_unreadable', 'Cannot read Fleet "shop/all"'),
};

describe('runOnboard()', () => {
  it('tells by groups what changes, and why the rest does not', async () => {
    const { passed, out, closed } = await onboard({ objects: NAMESPACE, owners: OWNERS });
    expect({ passed, closed }).toEqual({ passed: false, closed: true });
    expect(
      out,
    ).toBe(`Namespace "shop": nothing was changed, and labelling it changes nothing at once:
  10 Pods and 4 templates stay as they are
  1 image with a digest already: tagpin audit looks at those

With the next rollout, and in new Pods until then:
  Deployment/web container "web": nginx:1 -> nginx@${NOW}
    moved: 1 Pod (web-b) runs ${OLD}, which the registry has still
    moved: 1 Pod (web-c) runs ${LOST}, which is gone: a lost node cannot bring it back
    moved: 1 Pod (web-d) runs ${UNTOLD}, of which the registry did not tell whether it has it still

In new Pods alone:
  Job/job container "web": job:1 -> job@${NOW}
  Database/db container "web": db:1 -> db@${NOW}
    not known: of 1 Pod no node told what it runs

Cannot be resolved now: in "pin" new Pods run by tag, with a warning; in "enforce" they are refused:
  not_found: push the tag, or correct its name
    StatefulSet/absent container "web": absent:1: r answered 404 (not found)
      moved: 1 Pod (absent-0) runs ${LOST}, which is gone: a lost node cannot bring it back
  blocked_address: ask the operator of tagpin about this registry
    DaemonSet/corp container "web": r.corp:5000/corp:1: r.corp:5000 is not asked: its port is not 443 (--allow-registry r.corp:5000 allows it)

Registries to be named to the webhook, if you trust them; then run this again:
  tagpin serve --allow-registry r.corp:5000

Owners that are not built in: where the digest belongs:
  Cluster/pg (postgresql.cnpg.io/v1): its Pods are left alone (--skip-owner), and "enforce" refuses them until their images have digests
    container "web": pg:16 -> pg@${NOW}
    Cluster/pg has pg:16 at spec.imageName
  Database/db (db.example.com/v1): its Pods are pinned by themselves; where it compares their images, and makes anew what differs, write the digests there first
    container "web": db:1 -> db@${NOW}
    Database/db does not name the image: whatever acts on it chooses it
    Fleet/all was not read: Cannot read Fleet "shop/all"

Left alone:
  Pod/local container "web": localhost/dev:1: --skip names it; "enforce" asks the list tagpin-skip-list
`);
  });

  it('gives the same to programs, as JSON and as YAML', async () => {
    const plan = await planOf({ objects: NAMESPACE, owners: OWNERS });
    expect(plan).toMatchObject({
      namespace: 'shop',
      unchanged: { pods: 10, templates: 4 },
      next: [
        {
          kind: 'Deployment',
          name: 'web',
          place: 'container "web"',
          image: 'nginx:1',
          pods: 5,
          pinned: `nginx@${NOW}`,
          with: 'rollout',
          moved: [
            { digest: OLD, pods: 1, names: ['web-b'], served: true },
            { digest: LOST, pods: 1, names: ['web-c'], served: false },
            { digest: UNTOLD, pods: 1, names: ['web-d'], served: 'unknown' },
          ],
        },
        { kind: 'Job', with: 'pod' },
        { kind: 'Database', with: 'pod', untold: 1 },
      ],
      failed: [
        { name: 'absent', reason: 'not_found', advice: 'push the tag, or correct its name' },
        { name: 'corp', reason: 'blocked_address' },
      ],
      registries: { flags: '--allow-registry r.corp:5000' },
      owners: [
        {
          apiVersion: 'postgresql.cnpg.io/v1',
          kind: 'Cluster',
          name: 'pg',
          leftAlone: true,
          images: [{ place: 'container "web"', image: 'pg:16', pinned: `pg@${NOW}` }],
          specs: [{ kind: 'Cluster', paths: [{ image: 'pg:16', path: 'spec.imageName' }] }],
        },
        { name: 'db', leftAlone: false, specs: [{ paths: [] }, { problem: expect.any(String) }] },
      ],
      leftAlone: [{ name: 'local', outcome: 'skipped', reason: 'skip_list' }],
      pinned: 1,
      unread: 0,
    });
    const { out } = await onboard({ objects: NAMESPACE, owners: OWNERS, format: 'yaml' });
    expect(parse(out)).toEqual(plan);
  });

  it('asks for a tag, for its index and for each old digest once', async () => {
    const { asked } = await onboard({
      objects: [WEB, WEB_SET, webPod('a', OLD), webPod('b', OLD)],
    });
    expect(asked).toEqual(['docker.io/library/nginx:1', 'index nginx:1', `nginx@${OLD}`]);
  });

  it('passes where everything can be pinned that does not say itself that it is to be left alone', async () => {
    const skipping = withMetadata(listed('/Pod', 'asks', { image: 'a:1' }), {
      annotations: { 'tagpin.dev/skip': 'true' },
    });
    expect(await onboard({ objects: [WEB, skipping] })).toMatchObject({ passed: true });
  });

  it.each<[string, ListedObject]>([
    ['an image that cannot be resolved', listed('/Pod', 'a', { image: 'secret:1' })],
    [
      'an owner whose Pods are left alone',
      controlledBy(listed('/Pod', 'a', { image: 'a:1' }), CLUSTER),
    ],
    [
      'more images than are read',
      withSpec(listed('/Pod', 'a', {}), {
        containers: Array.from({ length: 5001 }, (_, at) => ({ name: `c${at}`, image: 'a:1' })),
      }),
    ],
  ])('does not pass with %s', async (_, object) => {
    expect(await onboard({ objects: [object] })).toMatchObject({ passed: false });
  });

  it.each([
    [false, 'tagpin.dev/skip says so; "enforce" ignores that'],
    [true, 'tagpin.dev/skip says so'],
  ])(
    'says what "enforce" makes of the annotation where it is honoured there: %s',
    async (honoured, message) => {
      const annotations = { 'tagpin.dev/skip': 'web' };
      const objects = [withMetadata(listed('/Pod', 'a', { image: 'a:1' }), { annotations })];
      const plan = await planOf({ objects, allowSkipInEnforce: honoured });
      expect(plan).toMatchObject({
        leftAlone: [{ outcome: 'skipped', reason: 'annotation', message }],
      });
    },
  );

  it.each<[string, object, string]>([
    ['never pulled', { image: 'a:1', imagePullPolicy: 'Never' }, 'never_pulled'],
    ['no image yet', { image: 'auto' }, 'not_an_image'],
  ])('leaves alone what is %s', async (_, container, outcome) => {
    const containers = [{ name: 'web', ...container }];
    const pod = withSpec(listed('/Pod', 'a', {}), { containers });
    expect(await planOf({ objects: [pod] })).toMatchObject({ next: [], leftAlone: [{ outcome }] });
  });

  it('names no owner for the Pods that a node made of files', async () => {
    const node = { apiVersion: 'v1', kind: 'Node', name: 'n', uid: 'n' };
    const annotations = { 'kubernetes.io/config.mirror': 'x' };
    const pod = controlledBy(
      withMetadata(listed('/Pod', 'a', { image: 'a:1' }), { annotations }),
      node,
    );
    expect(await planOf({ objects: [pod] })).toMatchObject({
      next: [],
      owners: [],
      leftAlone: [{ kind: 'Node', outcome: 'mirror' }],
    });
  });

  it('looks at nothing that has ended, or is being deleted', async () => {
    const job = withStatus(listed('batch/Job', 'j', { image: 'a:1' }), {
      conditions: [{ type: 'Complete', status: 'True' }],
    });
    const objects = [
      job,
      withStatus(podOf(job, 'p', { image: 'a:1' }), { phase: 'Succeeded' }),
      withMetadata(listed('/Pod', 'q', { image: 'a:1' }), { deletionTimestamp: 'now' }),
    ];
    const { unchanged, next } = await planOf({ objects });
    expect({ unchanged, next }).toEqual({ unchanged: { pods: 0, templates: 0 }, next: [] });
  });

  it("tells of the copies of somebody else's template that may make Pods", async () => {
    const set = controlledBy(listed('apps/StatefulSet', 'db-1', { image: 'db:1' }), DATABASE);
    const past = withSpec(
      controlledBy(listed('apps/ReplicaSet', 'db-0', { image: 'db:0' }), DATABASE),
      {
        replicas: 0,
      },
    );
    expect(await planOf({ objects: [set, past], owners: OWNERS })).toMatchObject({
      unchanged: { pods: 0, templates: 0 },
      next: [{ kind: 'Database', name: 'db', image: 'db:1', with: 'pod' }],
      owners: [{ name: 'db', leftAlone: false }],
    });
  });

  it('has no advice for kinds whose templates are pinned', async () => {
    const objects = [controlledBy(listed('/Pod', 'db-1', { image: 'db:1' }), DATABASE)];
    const plan = await planOf({ objects, extraKinds: ['db.example.com/Database'] });
    expect(plan).toMatchObject({ next: [{ kind: 'Database' }], owners: [] });
  });

  it('says that an owner is gone', async () => {
    const objects = [controlledBy(listed('/Pod', 'db-1', { image: 'db:1' }), DATABASE)];
    expect(await planOf({ objects })).toMatchObject({
      owners: [{ specs: [{ problem: 'it is not there any more' }] }],
    });
  });

  it('leaves templates to nobody where the namespace says so, and names its mode', async () => {
    const labels = { 'tagpin.dev/mode': 'warn', 'tagpin.dev/level': 'pods' };
    const { out } = await onboard({ objects: [WEB], labels });
    expect(out).toContain('it is labelled already: warn');
    expect(out).toContain('In new Pods alone:\n  Deployment/web');
    expect(out).not.toContain('With the next rollout');
  });

  it('takes a sidecar that Pods have beside their template for one of the workload', async () => {
    const pod = withSpec(webPod('web-a', NOW), {
      containers: [
        { name: 'web', image: 'nginx:1' },
        { name: 'proxy', image: 'proxy:1' },
      ],
    });
    expect(await planOf({ objects: [WEB, WEB_SET, pod] })).toMatchObject({
      next: [
        { name: 'web', place: 'container "web"', with: 'rollout' },
        { name: 'web', place: 'container "proxy"', with: 'pod', pods: 1 },
      ],
    });
  });

  it('has a container get the digest that another one of its template has for the same tag', async () => {
    const annotations = { 'tagpin.dev/originals': JSON.stringify({ web: `nginx:1 ${OLD}` }) };
    const containers = [
      { name: 'web', image: `nginx@${OLD}` },
      { name: 'new', image: 'nginx:1' },
    ];
    const template = { metadata: { annotations }, spec: { containers } };
    const { next, pinned } = await planOf({ objects: [withSpec(WEB, { template })] });
    expect({ next, pinned }).toMatchObject({
      next: [{ place: 'container "new"', pinned: `nginx@${OLD}` }],
      pinned: 1,
    });
  });

  it('writes nothing of a stranger to a terminal as it is', async () => {
    const objects = [listed('/Pod', 'a', { image: 'a\u001B[2J\nx' })];
    const { out } = await onboard({ objects });
    expect(out).not.toContain('\u001B');
    expect(out).toContain('\\u{1b}');
  });
});
