import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';

import type { AskApiServer } from '../../src/doctor/api-server.ts';
import { createApiRequests } from '../../src/kube/api-requests.ts';
import { type Authority, createAuthority } from '../support/certificate.ts';
import { Files } from '../support/files.ts';
import { kubeconfigText } from '../support/kubeconfig.ts';
import { type ScriptedRegistry, startRegistry } from '../support/scripted-registry.ts';

let authority: Authority;
let files: Files;
let server: ScriptedRegistry;
let ask: AskApiServer;

beforeAll(async () => {
  authority = await createAuthority();
  files = new Files();
  server = await startRegistry(
    [
      {
        when: { method: 'POST' },
        status: 201,
        headers: {
          date: 'Sun, 22 Nov 2026 12:00:00 GMT',
          warning: [
            String.raw`299 - "container \"web\" keeps its tag [not_found]"`,
            '299 kube "another, with a comma"',
          ],
        },
        body: '{"kind":"Pod"}',
      },
      {
        when: { path: '/refused' },
        status: 403,
        body: JSON.stringify({ kind: 'Status', message: 'you may not' }),
      },
      { when: { path: '/metrics' }, body: 'a 1\n' },
      { when: { path: '/proxy/healthz' }, status: 302, headers: { location: '../secrets' } },
    ],
    await authority.issue(['127.0.0.1']),
  );
  ask = asking(server.origin);
});
afterAll(async () => {
  await server[Symbol.asyncDispose]();
  await files[Symbol.asyncDispose]();
});

function asking(origin: string): AskApiServer {
  const file = files.write(
    `config-${new URL(origin).port}`,
    kubeconfigText(origin, authority.certificate),
  );
  return createApiRequests({ files: [file] });
}

describe('createApiRequests()', () => {
  it('gives the answer with its time and its warnings, whatever stands in them', async () => {
    const answer = await ask({ method: 'POST', path: '/pods?dryRun=All', body: { a: 1 } });
    expect(answer).toMatchObject({
      status: 201,
      message: undefined,
      value: { kind: 'Pod' },
      warnings: ['container "web" keeps its tag [not_found]', 'another, with a comma'],
      dateMs: Date.UTC(2026, 10, 22, 12),
    });
    expect(server.requests.at(-1)).toMatchObject({
      method: 'POST',
      path: '/pods',
      body: '{"a":1}',
    });
    expect(server.requests.at(-1)?.query.get('dryRun')).toBe('All');
    expect(server.requests.at(-1)?.headers.authorization).toBe('Bearer canary-token');
  });

  it('gives the message of a refusal', async () => {
    const { status, message } = await ask({ method: 'GET', path: '/refused' });
    expect({ status, message }).toEqual({ status: 403, message: 'you may not' });
  });

  it('gives what is no JSON as text', async () => {
    const { value, text } = await ask({ method: 'GET', path: '/metrics' });
    expect({ value, text }).toEqual({ value: undefined, text: 'a 1\n' });
  });

  it('goes nowhere else when it is told to', async () => {
    const before = server.requests.length;
    expect(await ask({ method: 'GET', path: '/proxy/healthz' })).toMatchObject({ status: 302 });
    expect(server.requests.slice(before).map(({ path }) => path)).toEqual(['/proxy/healthz']);
  });

  it('says that nobody answers, and shows no token', async () => {
    const gone = await startRegistry([]);
    await gone[Symbol.asyncDispose]();
    const asked = asking(`https://${gone.host}`)({ method: 'GET', path: '/version?a=b' });
    await expect(asked).rejects.toMatchObject({
      code: 'cluster_unreadable',
      message: `The API server https://${gone.host} did not answer GET /version`,
    });
  });
});
