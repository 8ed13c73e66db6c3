import { connectTo } from '../support/api-server.ts';
import { eventually } from '../support/eventually.ts';
import { installManifests } from '../support/manifests.ts';
import { createBenchNamespace, startBenchCluster, startWebhookBeside } from './bench-cluster.ts';
import { IMAGES, type Rollout, rollOut } from './pod-rollout.ts';
import type { Part, Row } from './result.ts';
import { interleaved, ratiosOf } from './rounds.ts';
import { startTagRegistry } from './tag-registry.ts';

/**
 * A Deployment of 2,000 Pods on the real API server and controller-manager, with tagpin as its
 * manifests install it and without. Nothing schedules the Pods: what is measured is how fast the
 * control plane makes them.
 */
const ROUNDS = 3;
const REPLICAS = 2000;
const WARM_UP_REPLICAS = 200;
/** By default it makes 20 calls a second at most, which would be all that is measured. */
const CONTROLLER_FLAGS = ['--kube-api-qps=2000', '--kube-api-burst=2000'];

/** The labels of each namespace. */
const CONTENDERS = {
  'without tagpin': {},
  'pinned in the template': { 'tagpin.dev/mode': 'pin' },
  'pinned in the Pods': { 'tagpin.dev/mode': 'pin', 'tagpin.dev/level': 'pods' },
} as const;
type Contender = keyof typeof CONTENDERS;
const NAMES = Object.keys(CONTENDERS) as Contender[];

const TEXT = `A new Deployment of ${REPLICAS} Pods of ${IMAGES.length} images by tag on a real kube-apiserver and kube-controller-manager (etcd without fsync, no scheduler, no node): until all Pods exist. Without tagpin; with it, where the Deployment's template gets the digests; and with \`tagpin.dev/level: pods\`, where the template keeps its tags and each Pod gets the digests of its siblings. ${ROUNDS} rounds in turns, each with tags that were never seen. The controller-manager may make more calls than it does by default (\`${CONTROLLER_FLAGS.join(' ')}\` for 20 and 30), or these limits would be all that is measured.`;

export const benchRollout: Part = async () => {
  const registry = await startTagRegistry();
  const cluster = await startBenchCluster(CONTROLLER_FLAGS);
  const api = connectTo(cluster.controlPlane.kubeconfig, 4);
  try {
    const { webhook, port } = await startWebhookBeside(cluster, registry.host);
    await installManifests(cluster.kubectl, { port, certificateAuthority: cluster.authority });
    for (const name of NAMES) {
      await createBenchNamespace(cluster, namespaceOf(name), CONTENDERS[name]);
    }
    const site = { api, webhook, registry };
    let run = 0;
    const once = (name: Contender, replicas: number): Promise<Rollout> => {
      run += 1;
      return rollOut(site, {
        namespace: namespaceOf(name),
        isPinned: name !== 'without tagpin',
        tag: `1.${run}`,
        replicas,
      });
    };
    // A webhook configuration counts a moment after it is made.
    await eventually(() => once('pinned in the Pods', WARM_UP_REPLICAS));
    for (const name of NAMES) await once(name, WARM_UP_REPLICAS);
    const rounds = await interleaved(ROUNDS, {
      'without tagpin': () => once('without tagpin', REPLICAS),
      'pinned in the template': () => once('pinned in the template', REPLICAS),
      'pinned in the Pods': () => once('pinned in the Pods', REPLICAS),
    });
    return { part: 'rollout', text: TEXT, rows: rowsOf(rounds) };
  } finally {
    api.close();
    await cluster.stop();
    registry.close();
  }
};

function namespaceOf(name: Contender): string {
  return name.replaceAll(' ', '-').toLowerCase();
}

function rowsOf(rounds: Readonly<Record<Contender, readonly Rollout[]>>): Row[] {
  const seconds = (name: Contender): number[] => rounds[name].map((one) => one.seconds);
  const pinned = NAMES.filter((name) => name !== 'without tagpin');
  const count = (name: Contender, what: 'reviews' | 'requests' | 'images'): Row => ({
    what: `${name}: ${COUNTS[what]}`,
    unit: '',
    digits: 0,
    values: rounds[name].map((one) => one[what]),
  });
  return [
    ...NAMES.map((name) => ({
      what: `${name}: until all Pods exist`,
      unit: 's',
      digits: 1,
      values: seconds(name),
    })),
    ...pinned.map((name) => ({
      what: `${name} ÷ without tagpin`,
      unit: '×',
      digits: 2,
      values: ratiosOf(seconds(name), seconds('without tagpin')),
    })),
    ...pinned.flatMap((name) => [
      count(name, 'reviews'),
      { ...count(name, 'requests'), goal: { atMost: IMAGES.length } },
      { ...count(name, 'images'), goal: { atMost: IMAGES.length } },
    ]),
  ];
}

const COUNTS = {
  reviews: 'reviews',
  requests: 'requests to the registry',
  images: 'different images in the Pods',
} as const;
