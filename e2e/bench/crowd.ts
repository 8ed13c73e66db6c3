import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { Agent, createServer, request as httpsRequest } from 'node:https';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';

import { createCertificateAuthority } from '../support/certificate.ts';
import { type LocalWebhook, startLocalWebhook } from '../support/local-webhook.ts';
import { type LoadResult, load } from './load.ts';
import type { Part, Row } from './result.ts';
import { ratiosOf } from './rounds.ts';
import { startTarpit } from './tarpit.ts';

/**
 * What a dead registry does to a healthy one: cold reviews of a healthy registry's images, each of
 * another tag, with and without a thousand reviews beside them whose registry accepts connections
 * and never answers; one such host, and a thousand. Interleaved rounds, and a host that is new in
 * each, or the breaker would know it.
 */
const ROUNDS = 5;
const SECONDS = 6;
const WARM_UP_SECONDS = 4;
const CONNECTIONS = 4;
const CROWD = 1000;
/** Two hundred a second: all at once, the first second of both would measure the processor. */
const CROWD_MS = 5000;
/** As many as an API server has under way (`--max-mutating-requests-inflight`). */
const AT_A_TIME = 200;
const NAMESPACES = 50;
/** The healthy registry is some way off: its time, and not the processor's, is what is measured. */
const REGISTRY_MS = 20;
const MAX_RATIO = 1.3;
const FIRST_NET = 16;

const TEXT = `Cold reviews of a healthy registry (${REGISTRY_MS} ms away, TLS) over ${CONNECTIONS} connections, alone and beside ${CROWD} reviews of registries that never answer, in ${CROWD_MS / 1000} s, ${AT_A_TIME} at a time, of ${NAMESPACES} namespaces; ${ROUNDS} rounds of ${SECONDS} s.`;

/** Each with the number of its hosts. */
const SCENARIOS: Readonly<Record<string, number>> = {
  'a dead registry': 1,
  'a thousand invented hosts': CROWD,
};

interface Round {
  readonly alone: LoadResult;
  readonly beside: LoadResult;
  /** How the crowd was answered, and how often. */
  readonly crowd: Readonly<Record<string, number>>;
}

export const benchCrowd: Part = async () => {
  const directory = mkdtempSync(join(tmpdir(), 'tagpin-crowd-'));
  const registry = await startHealthyRegistry(directory);
  process.env['NODE_EXTRA_CA_CERTS'] = registry.authorityFile;
  const webhook = await startLocalWebhook([]);
  const agent = new Agent({
    ca: webhook.authority,
    keepAlive: true,
    maxSockets: AT_A_TIME,
    maxFreeSockets: AT_A_TIME,
  });
  let run = 0;
  const measure = (seconds: number): Promise<LoadResult> => {
    run += 1;
    return load({
      url: urlOf(webhook),
      body: JSON.stringify(reviewOf('healthy', `${registry.host}/app:${run}-@N@`)),
      connections: CONNECTIONS,
      seconds,
      directory,
    });
  };
  let net = FIRST_NET;
  const rows: Row[] = [];
  try {
    await measure(WARM_UP_SECONDS);
    // The connections of the API servers stand.
    await sendAll(webhook, agent, warmUp());
    for (const [name, hosts] of Object.entries(SCENARIOS)) {
      const rounds: Round[] = [];
      for (let round = 0; round <= ROUNDS; round += 1) {
        const alone = await measure(SECONDS);
        const tarpit = await startTarpit(hosts, net);
        net += 1;
        const crowd = sendAll(webhook, agent, crowdAt(tarpit.hosts));
        const beside = await measure(SECONDS);
        tarpit.close();
        rounds.push({ alone, beside, crowd: await crowd });
      }
      // The first round warms the code of failures.
      rows.push(...rowsOf(name, rounds.slice(1)));
    }
    return { part: 'crowd', text: TEXT, rows };
  } finally {
    agent.destroy();
    await webhook.stop();
    registry.close();
    rmSync(directory, { recursive: true });
  }
};

function urlOf({ port }: LocalWebhook): string {
  return `https://127.0.0.1:${port}/admission/pin?timeout=10s`;
}

function warmUp(): string[] {
  const pinned = `registry.example.com/app@sha256:${'0'.repeat(64)}`;
  return Array.from({ length: AT_A_TIME }, () => JSON.stringify(reviewOf('crowd', pinned)));
}

/** A thousand reviews of as many images. */
function crowdAt(hosts: readonly string[]): string[] {
  return Array.from({ length: CROWD }, (_, n) => {
    const image = `${hosts[n % hosts.length]}/app:${n}`;
    return JSON.stringify(reviewOf(`crowd-${n % NAMESPACES}`, image));
  });
}

async function sendAll(
  webhook: LocalWebhook,
  agent: Agent,
  bodies: readonly string[],
): Promise<Readonly<Record<string, number>>> {
  const url = urlOf(webhook);
  const statuses = await Promise.all(
    bodies.map(async (body, n) => {
      await delay((n * CROWD_MS) / bodies.length);
      return post(url, agent, body);
    }),
  );
  const counts: Record<string, number> = {};
  for (const status of statuses) counts[status] = (counts[status] ?? 0) + 1;
  return counts;
}

/** The status of the answer; with the reasons for what is not pinned, without their numbers. */
function post(url: string, agent: Agent, body: string): Promise<string> {
  return new Promise((resolve, reject) => {
    const headers = { 'content-type': 'application/json' };
    const call = httpsRequest(url, { agent, method: 'POST', headers }, (response) => {
      const chunks: Buffer[] = [];
      response.on('data', (chunk: Buffer) => chunks.push(chunk));
      response.on('end', () => {
        const text = Buffer.concat(chunks).toString();
        const reasons = text.match(/\[[a-z_]+\]/g) ?? [];
        resolve(`${response.statusCode} ${[...new Set(reasons)].join(' ')}`.trim());
      });
    });
    call.on('error', reject);
    call.end(body);
  });
}

interface HealthyRegistry {
  readonly host: string;
  readonly authorityFile: string;
  readonly close: () => void;
}

/** Over TLS; has every tag, and takes its time to say so. */
async function startHealthyRegistry(directory: string): Promise<HealthyRegistry> {
  const authority = await createCertificateAuthority();
  const pair = await authority.issueServer('127.0.0.1');
  const authorityFile = join(directory, 'registry-ca.crt');
  writeFileSync(authorityFile, authority.certificate);
  const server = createServer({ cert: pair.certificate, key: pair.key }, (request, response) => {
    const digest = createHash('sha256')
      .update(request.url ?? '')
      .digest('hex');
    const headers = {
      'content-type': 'application/vnd.oci.image.index.v1+json',
      'docker-content-digest': `sha256:${digest}`,
    };
    setTimeout(() => response.writeHead(200, headers).end(), REGISTRY_MS);
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('No port was assigned');
  return {
    host: `127.0.0.1:${address.port}`,
    authorityFile,
    close: () => {
      server.close();
      server.closeAllConnections();
    },
  };
}

function reviewOf(namespace: string, image: string): unknown {
  return {
    apiVersion: 'admission.k8s.io/v1',
    kind: 'AdmissionReview',
    request: {
      uid: '705ab4f5-6393-11e8-b7cc-42010a800002',
      kind: { group: '', version: 'v1', kind: 'Pod' },
      resource: { group: '', version: 'v1', resource: 'pods' },
      namespace,
      operation: 'CREATE',
      userInfo: { username: 'alice' },
      object: {
        apiVersion: 'v1',
        kind: 'Pod',
        metadata: { name: 'app' },
        spec: { containers: [{ name: 'app', image }] },
      },
      oldObject: null,
      dryRun: false,
    },
  };
}

function rowsOf(name: string, rounds: readonly Round[]): Row[] {
  const alone = rounds.map((round) => round.alone.p95Ms);
  const beside = rounds.map((round) => round.beside.p95Ms);
  const failed = rounds.map((round) => round.alone.errors + round.beside.errors);
  const answers = [...new Set(rounds.flatMap(({ crowd }) => Object.keys(crowd)))].toSorted();
  return [
    {
      what: `p95 beside ${name} ÷ alone`,
      unit: '×',
      digits: 2,
      values: ratiosOf(beside, alone),
      goal: { atMost: MAX_RATIO },
    },
    { what: `p95 alone, before ${name}`, unit: 'ms', digits: 1, values: alone },
    { what: `p95 beside ${name}`, unit: 'ms', digits: 1, values: beside },
    { what: `failed calls, ${name}`, unit: '', digits: 0, values: failed, goal: { atMost: 0 } },
    ...answers.map((answer) => ({
      what: `the crowd of ${name} was answered ${answer}`,
      unit: 'times',
      digits: 0,
      values: rounds.map(({ crowd }) => crowd[answer] ?? 0),
    })),
  ];
}
