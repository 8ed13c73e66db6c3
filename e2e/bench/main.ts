import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { cpus, tmpdir } from 'node:os';
import { join } from 'node:path';

import { startSampleRegistry } from '../demo/sample-registry.ts';
import { createCertificateAuthority } from '../support/certificate.ts';
import { startProcess } from '../support/child-process.ts';
import { freePort } from '../support/free-port.ts';
import { startLocalWebhook } from '../support/local-webhook.ts';
import { benchCrowd } from './crowd.ts';
import { type LoadResult, load } from './load.ts';
import { benchPin } from './pin.ts';

/**
 * The warm path against the ceiling: reviews of a Pod of three cached images over TLS, with 32
 * connections, against express 5 with express.json() and a constant answer. Interleaved rounds in
 * one run, because a figure of one machine says nothing on another, and little an hour later.
 */
const ROUNDS = 5;
const SECONDS = 4;
const WARM_UP_SECONDS = 4;
const CONNECTIONS = 32;
const TAGS = ['shop/web:1.4', 'shop/cart:2.0', 'library/cache:7'];

type Contender = 'tagpin' | 'ceiling' | 'lean';
type Round = Readonly<Record<Contender, LoadResult>>;

async function bench(): Promise<void> {
  const directory = mkdtempSync(join(tmpdir(), 'tagpin-bench-'));
  const registry = await startSampleRegistry(TAGS);
  const webhook = await startLocalWebhook([`--plain-http=${registry.host}`, '--cache-ttl=1h']);
  const body = JSON.stringify(reviewOf(registry.host));
  const answer = await webhook.send('pin', JSON.parse(body));
  if (answer.response.patch === undefined) throw new Error('The webhook pinned nothing');
  const constant = JSON.stringify(answer);
  const ceiling = await startCeiling('plain', directory, constant);
  const lean = await startCeiling('lean', directory, constant);
  const measure = (port: number, seconds: number): Promise<LoadResult> => {
    const url = `https://127.0.0.1:${port}/admission/pin?timeout=10s`;
    return load({ url, body, seconds, directory, connections: CONNECTIONS });
  };
  try {
    const requestsBefore = registry.requests.length;
    for (const { port } of [ceiling, lean, webhook]) await measure(port, WARM_UP_SECONDS);
    const rounds: Round[] = [];
    for (let round = 0; round < ROUNDS; round += 1) {
      rounds.push({
        ceiling: await measure(ceiling.port, SECONDS),
        tagpin: await measure(webhook.port, SECONDS),
        lean: await measure(lean.port, SECONDS),
      });
    }
    report(rounds, body.length, registry.requests.length - requestsBefore);
  } finally {
    await ceiling.stop();
    await lean.stop();
    await webhook.stop();
    registry.close();
    rmSync(directory, { recursive: true });
  }
}

async function startCeiling(
  reading: 'plain' | 'lean',
  directory: string,
  answer: string,
): Promise<{ readonly port: number; readonly stop: () => Promise<void> }> {
  const authority = await createCertificateAuthority();
  const pair = await authority.issueServer('127.0.0.1');
  const file = (name: string, text: string): string => {
    const path = join(directory, `${reading}-${name}`);
    writeFileSync(path, text, { mode: 0o600 });
    return path;
  };
  const port = await freePort();
  const { stop } = await startProcess({
    name: reading,
    directory,
    command: process.execPath,
    args: [
      join(import.meta.dirname, 'ceiling.ts'),
      reading,
      file('tls.crt', pair.certificate),
      file('tls.key', pair.key),
      String(port),
      file('answer.json', answer),
    ],
    ready: async () => {
      const { connect } = await import('node:net');
      await new Promise<void>((resolve, reject) => {
        const socket = connect(port, '127.0.0.1', () => resolve(void socket.end()));
        socket.once('error', reject);
      });
    },
  });
  return { port, stop };
}

/** A Pod as the API server sends it: some 3 KB, most of it nothing that matters here. */
function reviewOf(host: string): unknown {
  const containers = TAGS.map((tag, index) => ({
    name: `container-${index}`,
    image: `${host}/${tag}`,
    imagePullPolicy: 'IfNotPresent',
    ports: [{ containerPort: 8080 + index, protocol: 'TCP' }],
    env: [
      {
        name: 'POD_NAME',
        valueFrom: { fieldRef: { apiVersion: 'v1', fieldPath: 'metadata.name' } },
      },
    ],
    resources: { limits: { memory: '128Mi' }, requests: { cpu: '100m', memory: '128Mi' } },
    terminationMessagePath: '/dev/termination-log',
    terminationMessagePolicy: 'File',
    volumeMounts: [{ name: 'token', readOnly: true, mountPath: '/var/run/secrets/token' }],
  }));
  return {
    apiVersion: 'admission.k8s.io/v1',
    kind: 'AdmissionReview',
    request: {
      uid: '705ab4f5-6393-11e8-b7cc-42010a800002',
      kind: { group: '', version: 'v1', kind: 'Pod' },
      resource: { group: '', version: 'v1', resource: 'pods' },
      requestKind: { group: '', version: 'v1', kind: 'Pod' },
      requestResource: { group: '', version: 'v1', resource: 'pods' },
      namespace: 'bench',
      operation: 'CREATE',
      userInfo: {
        username: 'system:serviceaccount:kube-system:replicaset-controller',
        groups: ['system:authenticated'],
      },
      object: {
        apiVersion: 'v1',
        kind: 'Pod',
        metadata: {
          generateName: 'shop-5d9c7b8f6d-',
          labels: { app: 'shop', 'pod-template-hash': '5d9c7b8f6d' },
          ownerReferences: [
            {
              apiVersion: 'apps/v1',
              kind: 'ReplicaSet',
              name: 'shop-5d9c7b8f6d',
              uid: 'a',
              controller: true,
            },
          ],
        },
        spec: {
          containers,
          volumes: [
            {
              name: 'token',
              projected: {
                sources: [{ serviceAccountToken: { expirationSeconds: 3607, path: 'token' } }],
              },
            },
          ],
          restartPolicy: 'Always',
          terminationGracePeriodSeconds: 30,
          dnsPolicy: 'ClusterFirst',
          serviceAccountName: 'default',
          securityContext: {},
          schedulerName: 'default-scheduler',
          tolerations: [
            {
              key: 'node.kubernetes.io/not-ready',
              operator: 'Exists',
              effect: 'NoExecute',
              tolerationSeconds: 300,
            },
          ],
        },
        status: {},
      },
      oldObject: null,
      dryRun: false,
      options: { kind: 'CreateOptions', apiVersion: 'meta.k8s.io/v1' },
    },
  };
}

function report(rounds: readonly Round[], bodyBytes: number, requests: number): void {
  const of = (who: Contender, what: keyof LoadResult): number[] =>
    rounds.map((round) => round[who][what]);
  const ratios = (to: Contender): number[] =>
    rounds.map((round) => round.tagpin.requestsPerSecond / round[to].requestsPerSecond);
  const rows = [
    row('tagpin: reviews/s', of('tagpin', 'requestsPerSecond'), 0),
    row('ceiling: reviews/s', of('ceiling', 'requestsPerSecond'), 0),
    row('lean ceiling: reviews/s', of('lean', 'requestsPerSecond'), 0),
    row('tagpin / ceiling', ratios('ceiling'), 2),
    row('tagpin / lean ceiling', ratios('lean'), 2),
    row('tagpin: p50 ms', of('tagpin', 'p50Ms'), 2),
    row('tagpin: p99 ms', of('tagpin', 'p99Ms'), 2),
    row('ceiling: p50 ms', of('ceiling', 'p50Ms'), 2),
    row('ceiling: p99 ms', of('ceiling', 'p99Ms'), 2),
    row('tagpin: failed calls', of('tagpin', 'errors'), 0),
  ];
  const model = cpus()[0]?.model ?? 'unknown processor';
  process.stdout.write(`Warm reviews of a Pod of ${TAGS.length} cached images (${bodyBytes} bytes), TLS, ${CONNECTIONS} connections
${cpus().length} × ${model}, Node ${process.versions.node}; ${ROUNDS} interleaved rounds of ${SECONDS} s
requests to the registry during the load: ${requests}

| what | min | median | max |
|---|---|---|---|
${rows.join('\n')}
`);
  process.stdout.write(`${JSON.stringify({ rounds, requests })}\n`);
}

function row(what: string, values: readonly number[], digits: number): string {
  const sorted = values.toSorted((a, b) => a - b);
  const shown = [sorted[0], sorted[Math.floor(sorted.length / 2)], sorted.at(-1)];
  return `| ${what} | ${shown.map((value) => (value ?? 0).toFixed(digits)).join(' | ')} |`;
}

const PARTS: Readonly<Record<string, () => Promise<void>>> = { crowd: benchCrowd, pin: benchPin };
await (PARTS[process.argv[2] ?? ''] ?? bench)();
