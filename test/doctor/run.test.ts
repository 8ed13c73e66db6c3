import { describe, expect, it } from '@jest/globals';
import { parse } from 'yaml';

import type { Facts } from '../../src/doctor/facts.ts';
import { CHECKS } from '../../src/doctor/finding.ts';
import { runDoctor } from '../../src/doctor/run.ts';
import { PinError } from '../../src/errors.ts';
import { createAuthority } from '../support/certificate.ts';
import { deployment, healthyFacts, read } from '../support/doctor-facts.ts';
import { recordedStreams } from '../support/streams.ts';

const close = (): Promise<void> => Promise.resolve();
const kubectlFlags = ['--context', 'x'];

async function factsWith(changes: Partial<Facts>): Promise<() => Promise<Facts>> {
  const facts = { ...(await healthyFacts(await createAuthority())), ...changes };
  return () => Promise.resolve(facts);
}

describe('runDoctor()', () => {
  it('says how each check stands, what to do, and by which command', async () => {
    const streams = recordedStreams();
    const gather = await factsWith({ deployment: read(deployment([], 1, 1)) });
    expect(await runDoctor('text', { gather, close, kubectlFlags, streams })).toBe(true);
    const { out, err } = streams.written;
    expect(out).toContain('ok       api-server             Kubernetes v1.36.3 answers\n');
    const indent = ' '.repeat(32);
    expect(out).toContain(
      [
        'warning  replicas               tagpin-system/tagpin: has one replica: its end is an outage',
        `${indent}run two, or more`,
        `${indent}$ kubectl scale deployment tagpin --namespace tagpin-system --replicas=2`,
        '',
      ].join('\n'),
    );
    expect(err).toMatch(/^\d+ ok, 1 warnings, 0 failed\n$/);
  });

  it.each([
    ['json', (text: string): unknown => JSON.parse(text)] as const,
    ['yaml', (text: string): unknown => parse(text)] as const,
  ])('says the same as %s, and that something failed', async (format, readText) => {
    const streams = recordedStreams();
    const gather = await factsWith({ configurations: read([]) });
    expect(await runDoctor(format, { gather, close, kubectlFlags, streams })).toBe(false);
    const { checks } = readText(streams.written.out) as { checks: readonly object[] };
    expect(checks).toContainEqual({
      id: 'webhook-configuration',
      status: 'failed',
      says: 'there is none that calls tagpin, "tagpin" or another',
      advice: 'apply your kustomization again, with kubectl apply -k and its folder',
    });
  });

  it('has colours on a terminal alone, and no control characters of strangers', async () => {
    const streams = { ...recordedStreams(), colours: true };
    const gather = await factsWith({ version: read({ gitVersion: 'v1.30\u001b[2J' }) });
    await runDoctor('text', { gather, close, kubectlFlags, streams });
    expect(streams.written.out).toContain('\u001b[32mok     \u001b[39m  api-server');
    expect(streams.written.out).toContain('v1.30\\u{1b}[2J');
  });

  it('says of everything that it was not looked at where the API server does not answer', async () => {
    const streams = recordedStreams();
    const refused = new Error('connect ECONNREFUSED');
    const cause = new TypeError('fetch failed', { cause: new AggregateError([refused], '') });
    const gather = (): Promise<Facts> =>
      Promise.reject(new PinError('cluster_unreadable', 'The API server is silent', { cause }));
    expect(await runDoctor('json', { gather, close, kubectlFlags, streams })).toBe(false);
    const { checks } = JSON.parse(streams.written.out) as {
      checks: readonly { id: string; status: string; says: string }[];
    };
    expect(checks[0]).toMatchObject({
      id: 'api-server',
      status: 'failed',
      says: 'The API server is silent (connect ECONNREFUSED)',
      command: 'kubectl --context x version',
    });
    expect(checks.map(({ id }) => id)).toEqual(Object.keys(CHECKS));
    expect(checks.filter(({ status }) => status === 'ok')).toEqual([]);
    expect(checks.filter((check) => 'advice' in check)).toHaveLength(1);
  });

  it('lets go of what it opened where something else goes wrong', async () => {
    let closed = 0;
    const ports = {
      gather: () => Promise.reject(new PinError('invalid_config', 'no kubeconfig')),
      close: () => Promise.resolve(void (closed += 1)),
      kubectlFlags,
      streams: recordedStreams(),
    };
    await expect(runDoctor('text', ports)).rejects.toThrow('no kubeconfig');
    expect(closed).toBe(1);
  });
});
