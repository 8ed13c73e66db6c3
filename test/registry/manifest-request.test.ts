import { describe, expect, it } from '@jest/globals';

import type { Credential } from '../../src/credentials/credential.ts';
import { askOnce, linesOf, lookUp } from '../support/look-up.ts';
import { createRegistryStack } from '../support/registry-stack.ts';
import { type Rule, startRegistry } from '../support/scripted-registry.ts';
import { until } from '../support/until.ts';

const DIGEST = `sha256:${'a'.repeat(64)}`;
const PATH = '/v2/team/app/manifests/1.0';
const ALICE: Credential = { username: 'alice', password: 'canary-password' };

function told(authorization: string | null, path: string = PATH): Rule {
  const headers = { 'docker-content-digest': DIGEST };
  return { when: { path, headers: { authorization } }, headers };
}

function issues(token: string, rule: Rule = {}): Rule {
  return { ...rule, when: { path: '/token' }, body: JSON.stringify({ token }) };
}

function refuses(challenge: string, rule: Rule = {}): Rule {
  return { status: 401, ...rule, headers: { 'www-authenticate': challenge } };
}

const ASKS_FOR_TOKEN = refuses('Bearer realm="/token",scope="repository:team/app:pull"');

function bearer(token: string): Rule['when'] {
  return { headers: { authorization: `Bearer ${token}` } };
}

describe('sendManifestRequest()', () => {
  it('needs three requests without a token and one with it, and never asks for /v2/', async () => {
    await using registry = await startRegistry([issues('t1'), told('Bearer t1'), ASKS_FOR_TOKEN]);
    await using stack = createRegistryStack({ plainHttp: [registry.host] });
    const cold = [`HEAD ${PATH}`, 'GET /token', `HEAD ${PATH}`];
    await lookUp(stack, registry);
    expect(linesOf(registry)).toEqual(cold);
    await lookUp(stack, registry);
    expect(linesOf(registry)).toEqual([...cold, `HEAD ${PATH}`]);
  });

  it('gets a token for each credential, though both are asked for at once', async () => {
    const BOB: Credential = { username: 'bob', password: 'b' };
    const held = Promise.withResolvers<void>();
    const issuesTo = ({ username, password }: Credential): Rule => {
      const headers = { authorization: `Basic ${btoa(`${username}:${password}`)}` };
      const body = JSON.stringify({ token: `of-${username}` });
      return { when: { path: '/token', headers }, body, hold: held.promise };
    };
    await using registry = await startRegistry([
      issuesTo(ALICE),
      issuesTo(BOB),
      told('Bearer of-alice'),
      told('Bearer of-bob'),
      ASKS_FOR_TOKEN,
    ]);
    await using stack = createRegistryStack({ plainHttp: [registry.host] });
    const both = [ALICE, BOB].map((one) => lookUp(stack, registry, { credentials: [one] }));
    await registry.received(4);
    held.resolve();
    for (const answer of await Promise.all(both)) expect(answer).toMatchObject({ digest: DIGEST });
    const shown = registry.requests.flatMap(({ headers }) => headers.authorization ?? []);
    expect(shown.filter((text) => text.startsWith('Bearer')).toSorted()).toEqual([
      'Bearer of-alice',
      'Bearer of-bob',
    ]);
  });

  it('needs one request where no authorization is asked for', async () => {
    const { lines } = await askOnce([told(null)], { credentials: [ALICE] });
    expect(lines).toEqual([`HEAD ${PATH}`]);
  });

  it('gets one token for tags that are asked for at once, though the first gives up', async () => {
    const held = Promise.withResolvers<void>();
    await using registry = await startRegistry([
      issues('t1', { hold: held.promise }),
      told('Bearer t1', '/v2/team/app/manifests/1.1'),
      ASKS_FOR_TOKEN,
    ]);
    await using stack = createRegistryStack({ plainHttp: [registry.host] });
    const leader = new AbortController();
    const first = stack.lookup(`${registry.host}/team/app:1.0`, {
      credentials: [],
      signal: leader.signal,
    });
    await registry.received(2);
    const second = stack.lookup(`${registry.host}/team/app:1.1`, {
      credentials: [],
      signal: AbortSignal.timeout(30_000),
    });
    // The second was told to get a token as well, and waits for it.
    await until(() => stack.observed.filter((line) => line.endsWith(' 401')).length === 2);
    leader.abort(new DOMException('too late', 'TimeoutError'));
    await expect(first).rejects.toMatchObject({ name: 'PinError', host: '127.0.0.1' });
    held.resolve();
    await expect(second).resolves.toMatchObject({ digest: DIGEST });
    expect(linesOf(registry).filter((line) => line === 'GET /token')).toHaveLength(1);
  });

  const WIDER =
    'Bearer realm="/token",error="insufficient_scope",scope="repository:team/app:pull,x"';

  it.each([401, 403])('asks once for the scope that a %i says is missing', async (status) => {
    const { answer, requests } = await askOnce([
      issues('narrow', { times: 1 }),
      issues('wide'),
      refuses(WIDER, { status, when: bearer('narrow') ?? {} }),
      told('Bearer wide'),
      ASKS_FOR_TOKEN,
    ]);
    expect(answer).toMatchObject({ digest: DIGEST });
    const asked = requests.filter(({ path }) => path === '/token');
    expect(asked.map(({ query }) => query.get('scope'))).toEqual([
      'repository:team/app:pull',
      'repository:team/app:pull,x',
    ]);
  });

  it('asks no third time where a registry wants ever more', async () => {
    const { answer, lines } = await askOnce([
      issues('t1'),
      refuses(WIDER, { when: bearer('t1') ?? {} }),
      ASKS_FOR_TOKEN,
    ]);
    expect(answer).toMatchObject({ code: 'unauthorized' });
    expect(lines.filter((line) => line === 'GET /token')).toHaveLength(2);
    expect(lines).toHaveLength(5);
  });

  it('forgets a token that is refused for its scope twice', async () => {
    await using registry = await startRegistry([
      issues('t1'),
      refuses(WIDER, { when: bearer('t1') ?? {} }),
      ASKS_FOR_TOKEN,
    ]);
    await using stack = createRegistryStack({ plainHttp: [registry.host] });
    await lookUp(stack, registry);
    await lookUp(stack, registry);
    expect(registry.requests[5]?.headers).not.toHaveProperty('authorization');
  });

  it('asks no second time for the scope that it had', async () => {
    const same =
      'Bearer realm="/token",error="insufficient_scope",scope="repository:team/app:pull"';
    const { answer, lines } = await askOnce([issues('t1'), refuses(same)]);
    expect(answer).toMatchObject({ code: 'unauthorized' });
    expect(lines).toHaveLength(3);
  });

  it('renews a token once that ends between HEAD and GET', async () => {
    const manifest = JSON.stringify({ schemaVersion: 2, manifests: [] });
    const { answer, lines } = await askOnce([
      issues('t1', { times: 1 }),
      issues('t2'),
      { when: { method: 'HEAD', ...bearer('t1') } },
      { when: { method: 'GET', ...bearer('t2') }, body: manifest },
      ASKS_FOR_TOKEN,
    ]);
    expect(answer).toMatchObject({ source: 'body' });
    expect(lines).toEqual([
      `HEAD ${PATH}`,
      'GET /token',
      `HEAD ${PATH}`,
      `GET ${PATH}`,
      'GET /token',
      `GET ${PATH}`,
    ]);
  });
});

describe('sendManifestRequest() and redirects', () => {
  it('keeps what a redirect got at a place apart from what those have who ask there', async () => {
    await using other = await startRegistry([issues('t1'), told('Bearer t1'), ASKS_FOR_TOKEN]);
    const location = `${other.origin}${PATH}`;
    await using registry = await startRegistry([{ status: 307, headers: { location } }]);
    await using second = await startRegistry([{ status: 307, headers: { location } }]);
    const plainHttp = [registry.host, second.host, other.host];
    await using stack = createRegistryStack({ plainHttp });
    const first = [undefined, undefined, 'Bearer t1'];
    for (const place of [registry, second, other]) {
      const before = other.requests.length;
      // oxlint-disable-next-line no-await-in-loop -- one after the other
      expect(await lookUp(stack, place)).toMatchObject({ digest: DIGEST });
      const asked = other.requests.slice(before);
      expect(asked.map(({ headers }) => headers.authorization)).toEqual(first);
    }
  });

  it('gets a token for where it is sent, and shows that place no credential', async () => {
    await using other = await startRegistry([
      issues('t1'),
      told('Bearer t1', '/v2/x/manifests/1'),
      ASKS_FOR_TOKEN,
    ]);
    await using registry = await startRegistry([
      {
        when: { headers: { authorization: `Basic ${btoa('alice:canary-password')}` } },
        status: 307,
        headers: { location: `${other.origin}/v2/x/manifests/1` },
      },
      refuses('Basic realm="r"'),
    ]);
    await using stack = createRegistryStack({ plainHttp: [registry.host, other.host] });
    expect(await lookUp(stack, registry, { credentials: [ALICE] })).toMatchObject({
      digest: DIGEST,
    });
    expect(other.requests.map(({ headers }) => headers.authorization)).toEqual([
      undefined,
      undefined,
      'Bearer t1',
    ]);
    // And from now on two requests: one there, one here.
    const before = other.requests.length;
    await lookUp(stack, registry, { credentials: [ALICE] });
    expect(other.requests.slice(before).map(({ headers }) => headers.authorization)).toEqual([
      undefined,
      'Bearer t1',
    ]);
    expect(registry.requests).toHaveLength(3);
  });

  it.each([
    ['a password', 'Basic realm="r"', 1],
    ['a token that needs one', 'Bearer realm="/token"', 2],
  ])('shows no credential where it is asked for %s', async (_what, challenge, count) => {
    await using other = await startRegistry([refuses(challenge)]);
    const location = `${other.origin}${PATH}`;
    const { answer, host } = await askOnce([{ status: 307, headers: { location } }], {
      credentials: [ALICE],
      alsoPlain: [other.host],
    });
    expect(answer).toMatchObject({
      code: 'unauthorized',
      host: expect.stringMatching(/^127\.0\.0\.1/),
    });
    expect(host).not.toBe(other.host);
    expect(other.requests).toHaveLength(count);
    for (const { headers, body } of other.requests) {
      expect(headers).not.toHaveProperty('authorization');
      expect(body).toBe('');
    }
  });

  it.each([400, 401, 403])(
    'keeps the token of a registry that sends it where %i is answered',
    async (status) => {
      await using other = await startRegistry([{ status }]);
      const location = `${other.origin}${PATH}`;
      await using registry = await startRegistry([
        issues('t1'),
        { ...told('Bearer t1'), times: 1 },
        { when: bearer('t1') ?? {}, status: 307, headers: { location }, times: 1 },
        told('Bearer t1'),
        ASKS_FOR_TOKEN,
      ]);
      await using stack = createRegistryStack({ plainHttp: [registry.host, other.host] });
      await lookUp(stack, registry);
      expect(await lookUp(stack, registry)).not.toHaveProperty('digest');
      await lookUp(stack, registry);
      expect(linesOf(registry)).toHaveLength(5);
    },
  );

  it('says who answered where a redirect led', async () => {
    await using other = await startRegistry([{ status: 403, body: 'canary-body' }]);
    const location = `${other.origin}${PATH}`;
    const { answer, host } = await askOnce([{ status: 307, headers: { location } }], {
      alsoPlain: [other.host],
    });
    expect(answer).toMatchObject({
      code: 'unauthorized',
      message: `${other.host}, to which ${host} redirects, answered 403 (not found, or no access), asked without a credential`,
    });
  });
});
