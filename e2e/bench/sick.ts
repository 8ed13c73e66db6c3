import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { createCertificateAuthority } from '../support/certificate.ts';
import { type LocalWebhook, startLocalWebhook } from '../support/local-webhook.ts';
import { type Answers, bodyOf, CROWD, gatherCrowd } from './crowd.ts';
import { type LoadResult, load } from './load.ts';
import { pinUrl } from './post.ts';
import type { Part, Row } from './result.ts';
import { interleaved, ratiosOf } from './rounds.ts';
import { SICK_ADDRESS, SICK_REGISTRIES } from './sick-registries.ts';
import { startTagRegistry, type TagRegistry } from './tag-registry.ts';

/**
 * What sick registries do to a healthy one: cold reviews of a healthy registry's images, each of
 * another tag, alone and beside a crowd whose registries are dead, invented, slow, at their limit or
 * flapping.
 */
const ROUNDS = 5;
const SECONDS = 4;
const WARM_UP_SECONDS = 4;
const CONNECTIONS = 4;
/** The healthy registry is some way off: its time, and not the processor's, is what is measured. */
const REGISTRY_MS = 20;
const MAX_RATIO = 1.3;
const FIRST_NET = 16;
const ALONE = 'alone';

const TEXT = `Cold reviews of a healthy registry (${REGISTRY_MS} ms away, TLS) over ${CONNECTIONS} connections, alone and beside a crowd of ${CROWD.reviews} cold reviews of ${CROWD.namespaces} namespaces in ${CROWD.ms / 1000} s, ${CROWD.atATime} at a time, whose registries are sick: one that accepts connections and says nothing, a thousand of that kind, one that takes 2 s, one that answers 429, one that answers and hangs in turns of half a second. ${ROUNDS} rounds of ${SECONDS} s in turns, each with hosts that were never seen.`;

interface Measured {
  readonly healthy: LoadResult;
  /** To the crowd. */
  readonly answers: Answers;
}

type Rounds = Readonly<Record<string, readonly Measured[]>>;

export const benchSick: Part = async () => {
  const directory = mkdtempSync(join(tmpdir(), 'tagpin-sick-'));
  const { registry, webhook } = await startHealthy(directory);
  let run = 0;
  const measure = (seconds: number): Promise<LoadResult> => {
    run += 1;
    return load({
      url: pinUrl(webhook),
      // Of a revision of its own each: replicas of one would get what the first one got.
      body: bodyOf('healthy', `${registry.host}/app:${run}-@N@`).replaceAll(
        '5d9c7b8f6d',
        `${run}-@N@`,
      ),
      connections: CONNECTIONS,
      seconds,
      directory,
    });
  };
  const crowd = await gatherCrowd(webhook);
  let net = FIRST_NET;
  const contenders: Record<string, () => Promise<Measured>> = {
    [ALONE]: async () => ({ healthy: await measure(SECONDS), answers: {} }),
  };
  for (const [name, start] of Object.entries(SICK_REGISTRIES)) {
    contenders[name] = async () => {
      net += 1;
      const sick = await start(net);
      const asked = crowd.ask(sick.hosts);
      const healthy = await measure(SECONDS);
      // Nobody waits for them any longer.
      sick.close();
      return { healthy, answers: await asked };
    };
  }
  try {
    await measure(WARM_UP_SECONDS);
    // The first round warms the code of failures.
    await interleaved(1, contenders);
    const rounds = await interleaved(ROUNDS, contenders);
    return { part: 'sick', text: TEXT, rows: rowsOf(rounds) };
  } finally {
    crowd.close();
    await webhook.stop();
    registry.close();
    rmSync(directory, { recursive: true });
  }
};

/** A registry over TLS, and a webhook that trusts it. */
async function startHealthy(
  directory: string,
): Promise<{ readonly registry: TagRegistry; readonly webhook: LocalWebhook }> {
  const authority = await createCertificateAuthority();
  const pair = await authority.issueServer('127.0.0.1');
  const file = join(directory, 'registry-ca.crt');
  writeFileSync(file, authority.certificate);
  const registry = await startTagRegistry({ pair, delayMs: () => REGISTRY_MS });
  try {
    const webhook = await startLocalWebhook([
      `--registry-ca=${registry.host}=${file}`,
      `--plain-http=${SICK_ADDRESS}:*`,
    ]);
    return { registry, webhook };
  } catch (error) {
    registry.close();
    throw error;
  }
}

function rowsOf(rounds: Rounds): Row[] {
  const p95 = (name: string): number[] => (rounds[name] ?? []).map(({ healthy }) => healthy.p95Ms);
  const names = Object.keys(rounds);
  const sick = names.filter((name) => name !== ALONE);
  return [
    ...sick.map((name) => ({
      what: `p95 beside ${name} ÷ alone`,
      unit: '×',
      digits: 2,
      values: ratiosOf(p95(name), p95(ALONE)),
      goal: { atMost: MAX_RATIO },
    })),
    { what: 'p95 alone', unit: 'ms', digits: 1, values: p95(ALONE) },
    ...sick.map((name) => ({
      what: `p95 beside ${name}`,
      unit: 'ms',
      digits: 1,
      values: p95(name),
    })),
    {
      what: 'failed calls to the healthy registry',
      unit: '',
      digits: 0,
      values: names.flatMap((name) => (rounds[name] ?? []).map(({ healthy }) => healthy.errors)),
      goal: { atMost: 0 },
    },
    ...sick.flatMap((name) => answerRows(name, rounds[name] ?? [])),
  ];
}

/** How the crowd was answered. */
function answerRows(name: string, rounds: readonly Measured[]): Row[] {
  const all = new Set(rounds.flatMap(({ answers }) => Object.keys(answers)));
  return [...all].toSorted().map((answer) => ({
    what: `the crowd of ${name} was answered ${answer}`,
    unit: 'times',
    digits: 0,
    values: rounds.map(({ answers }) => answers[answer] ?? 0),
  }));
}
