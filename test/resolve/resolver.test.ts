import { describe, expect, it } from '@jest/globals';

import { PinError } from '../../src/errors.ts';
import { pullSecret } from '../support/cluster.ts';
import { CACHE_TTL_MS, ResolverStack, STALE_IF_ERROR_MS } from '../support/resolver-stack.ts';
import { type Rule, startRegistry } from '../support/scripted-registry.ts';

const ONE = `sha256:${'1'.repeat(64)}`;
const TWO = `sha256:${'2'.repeat(64)}`;
const THREE = `sha256:${'3'.repeat(64)}`;

function told(digest: string, rule: Rule = {}): Rule {
  return { ...rule, headers: { 'docker-content-digest': digest } };
}

function basic(user: string): string {
  return `Basic ${btoa(`${user}:x`)}`;
}

function forUser(user: string, rule: Rule): Rule {
  return { ...rule, when: { headers: { authorization: basic(user) } } };
}

const ASKS_FOR_BASIC: Rule = { status: 401, headers: { 'www-authenticate': 'Basic realm="r"' } };

describe('createResolver()', () => {
  it('asks the registry, then answers at once without asking, until the digest is old', async () => {
    await using registry = await startRegistry([told(ONE, { times: 1 }), told(TWO)]);
    await using stack = new ResolverStack(registry);
    const image = `${registry.host}/app:1.0`;
    expect(await stack.resolve(image)).toEqual({
      digest: ONE,
      mediaType: undefined,
      host: registry.host,
      source: 'header',
      attempts: 1,
      ageMs: 0,
      stale: false,
    });
    stack.pass(CACHE_TTL_MS - 1);
    const known = stack.resolve(image);
    expect(known).not.toBeInstanceOf(Promise);
    expect(known).toMatchObject({ digest: ONE, ageMs: CACHE_TTL_MS - 1, stale: false });
    expect(registry.requests).toHaveLength(1);
    stack.pass(1);
    expect(await stack.digestOf(image)).toBe(TWO);
    expect(stack.observed).toEqual(['miss', 'hit', 'miss']);
  });

  it('makes one request of three hundred questions at once', async () => {
    await using registry = await startRegistry([told(ONE)]);
    await using stack = new ResolverStack(registry);
    const image = `${registry.host}/app:1.0`;
    const answers = await Promise.all(
      Array.from({ length: 300 }, (_, n) =>
        stack.digestOf(image, { namespace: `namespace-${n % 30}` }),
      ),
    );
    expect(new Set(answers)).toEqual(new Set([ONE]));
    expect(registry.requests).toHaveLength(1);
    expect(stack.observed.filter((result) => result === 'miss')).toHaveLength(30);
    expect(stack.observed.filter((result) => result === 'shared')).toHaveLength(270);
  });

  it('keeps tags and repositories apart', async () => {
    await using registry = await startRegistry([
      told(ONE, { when: { path: '/v2/app/manifests/1' } }),
      told(TWO, { when: { path: '/v2/app/manifests/2' } }),
      told(THREE, { when: { path: '/v2/other/manifests/1' } }),
    ]);
    await using stack = new ResolverStack(registry);
    const digests = ['app:1', 'app:2', 'other:1'].map((name) =>
      stack.digestOf(`${registry.host}/${name}`),
    );
    expect(await Promise.all(digests)).toEqual([ONE, TWO, THREE]);
  });

  it.each<[number, string, number]>([
    [404, 'not_found', 5000],
    [403, 'unauthorized', 5000],
    [400, 'invalid_response', 1000],
  ])('remembers a %i ("%s") for %i ms', async (status, code, ttlMs) => {
    await using registry = await startRegistry([{ status, times: 1 }, told(ONE)]);
    await using stack = new ResolverStack(registry);
    const image = `${registry.host}/app:1.0`;
    expect(await stack.digestOf(image)).toBe(code);
    stack.pass(ttlMs - 1);
    expect(stack.resolve(image)).toMatchObject({ code });
    expect(registry.requests).toHaveLength(1);
    stack.pass(1);
    expect(await stack.digestOf(image)).toBe(ONE);
    expect(stack.observed).toEqual(['miss', 'negative_hit', 'miss']);
  });

  it('asks once more where the registry fails, and no more', async () => {
    await using registry = await startRegistry([
      { status: 503, times: 1 },
      told(ONE, { times: 1 }),
      { fault: 'reset' },
    ]);
    await using stack = new ResolverStack(registry);
    expect(await stack.digestOf(`${registry.host}/app:1.0`)).toBe(ONE);
    expect(registry.requests).toHaveLength(2);
    expect(await stack.digestOf(`${registry.host}/app:2.0`)).toBe('unavailable');
    expect(registry.requests).toHaveLength(4);
  });
});

describe('createResolver() with a registry that does not answer', () => {
  it.each<[string, Rule]>([
    ['503', { status: 503 }],
    ['429', { status: 429 }],
    ['a broken connection', { fault: 'reset' }],
  ])('serves the last known digest for %s, and says so', async (_what, rule) => {
    await using registry = await startRegistry([told(ONE, { times: 1 }), rule]);
    await using stack = new ResolverStack(registry);
    const image = `${registry.host}/app:1.0`;
    await stack.resolve(image);
    stack.pass(CACHE_TTL_MS);
    expect(await stack.resolutionOf(image)).toMatchObject({
      digest: ONE,
      stale: true,
      ageMs: CACHE_TTL_MS,
    });
    // Again at once, and without a request, while the failure is remembered.
    const before = registry.requests.length;
    expect(await stack.resolutionOf(image)).toMatchObject({ digest: ONE, stale: true });
    expect(registry.requests).toHaveLength(before);
    expect(stack.observed).toEqual(['miss', 'miss', 'stale', 'negative_hit', 'stale']);
    stack.pass(STALE_IF_ERROR_MS);
    expect(await stack.resolve(image)).toBeInstanceOf(PinError);
  });

  it('serves the last known digest when the time of the review is over', async () => {
    await using registry = await startRegistry([told(ONE, { times: 1 }), { fault: 'silence' }]);
    await using stack = new ResolverStack(registry);
    const image = `${registry.host}/app:1.0`;
    await stack.resolve(image);
    stack.pass(CACHE_TTL_MS);
    expect(await stack.resolutionOf(image, { deadlineMs: 50 })).toMatchObject({ stale: true });
  });

  it.each([404, 401, 403])('never serves it after the answer %i', async (status) => {
    await using registry = await startRegistry([
      told(ONE, { times: 1 }),
      { status, times: 1 },
      { status: 503 },
    ]);
    await using stack = new ResolverStack(registry);
    const image = `${registry.host}/app:1.0`;
    await stack.resolve(image);
    stack.pass(CACHE_TTL_MS);
    expect(await stack.resolve(image)).toBeInstanceOf(PinError);
    stack.pass(5000);
    expect(await stack.digestOf(image)).toBe('unavailable');
  });

  it('leaves a registry alone that says 429, for every repository', async () => {
    const limited: Rule = { status: 429, headers: { 'retry-after': '30' }, times: 1 };
    await using registry = await startRegistry([limited, told(ONE)]);
    await using other = await startRegistry([told(TWO)]);
    await using stack = new ResolverStack(registry, other);
    expect(await stack.digestOf(`${registry.host}/app:1.0`)).toBe('rate_limited');
    expect(stack.gated).toEqual([[registry.host, stack.cluster.nowMs + 30_000]]);
    expect(await stack.failureOf(`${registry.host}/other:1.0`)).toMatchObject({
      code: 'rate_limited',
      message: `${registry.host} answered 429 before and is not asked for another 30 s`,
    });
    expect(registry.requests).toHaveLength(1);
    expect(await stack.digestOf(`${other.host}/app:1.0`)).toBe(TWO);
    stack.pass(30_000);
    expect(await stack.digestOf(`${registry.host}/app:1.0`)).toBe(ONE);
  });

  it('goes on asking with the credentials of others when one account has had its share', async () => {
    const limited: Rule = { status: 429, headers: { 'retry-after': '3600' } };
    await using registry = await startRegistry([
      forUser('spent', limited),
      forUser('other', told(ONE)),
      ASKS_FOR_BASIC,
    ]);
    await using stack = new ResolverStack(registry);
    for (const user of ['spent', 'other']) {
      stack.cluster.secrets.set(
        `${user}/regcred`,
        pullSecret('regcred', { [registry.host]: [user, 'x'] }),
      );
    }
    const ask = (namespace: string): Promise<string> =>
      stack.digestOf(`${registry.host}/app:1.0`, { namespace, pullSecrets: ['regcred'] });
    expect(await ask('spent')).toBe('rate_limited');
    expect(await ask('other')).toBe(ONE);
  });

  it('leaves it alone under any spelling of its name', async () => {
    await using registry = await startRegistry([{ status: 429 }]);
    await using stack = new ResolverStack(registry);
    for (const name of ['localhost', 'LocalHost', 'LOCALHOST']) {
      expect(await stack.digestOf(`${name}:${registry.port}/app:1.0`)).toBe('rate_limited');
    }
    expect(registry.requests).toHaveLength(1);
  });

  it('is asked, though it never answered, beside all that one namespace may have under way', async () => {
    const hold = Promise.withResolvers<void>();
    await using silent = await startRegistry([told(TWO, { hold: hold.promise })]);
    await using registry = await startRegistry([told(ONE)]);
    await using stack = new ResolverStack(silent, registry);
    const hostile = Array.from({ length: 8 }, (_, n) =>
      stack.digestOf(`${silent.host}/app:${n}`, { namespace: 'hostile' }),
    );
    await silent.received(2);
    expect(await stack.digestOf(`${registry.host}/app:1.0`, { deadlineMs: 500 })).toBe(ONE);
    hold.resolve();
    await Promise.all(hostile);
  });

  it('ends the wait of each at its own deadline, and still answers the others', async () => {
    const hold = Promise.withResolvers<void>();
    await using registry = await startRegistry([told(ONE, { hold: hold.promise })]);
    await using stack = new ResolverStack(registry);
    const image = `${registry.host}/app:1.0`;
    const impatient = stack.failureOf(image, { deadlineMs: 30 });
    const patient = [
      stack.digestOf(image, { deadlineMs: 3000 }),
      stack.digestOf(image, { deadlineMs: 3000, namespace: 'other' }),
    ];
    expect(await impatient).toMatchObject({
      code: 'deadline_exceeded',
      message: `${registry.host} did not answer in time`,
    });
    hold.resolve();
    expect(await Promise.all(patient)).toEqual([ONE, ONE]);
    expect(registry.requests).toHaveLength(1);
  });
});

describe('createResolver() with a refresh', () => {
  it('is not answered by the cache, and fills it', async () => {
    await using registry = await startRegistry([told(ONE, { times: 1 }), told(TWO)]);
    await using stack = new ResolverStack(registry);
    const image = `${registry.host}/app:1.0`;
    await stack.resolve(image);
    stack.pass(10);
    const notBeforeMs = stack.cluster.nowMs;
    expect(await stack.digestOf(image, { notBeforeMs })).toBe(TWO);
    expect(stack.resolve(image)).toMatchObject({ digest: TWO });
    // One look-up that is young enough answers all refreshes.
    expect(stack.resolve(image, { notBeforeMs })).toMatchObject({ digest: TWO });
    expect(registry.requests).toHaveLength(2);
  });

  it('is not answered by a look-up that began before it, nor undone by its late end', async () => {
    const hold = Promise.withResolvers<void>();
    await using registry = await startRegistry([
      told(ONE, { hold: hold.promise, times: 1 }),
      told(TWO),
    ]);
    await using stack = new ResolverStack(registry);
    const image = `${registry.host}/app:1.0`;
    const older = stack.digestOf(image);
    await registry.received(1);
    stack.pass(10);
    const notBeforeMs = stack.cluster.nowMs;
    expect(await stack.digestOf(image, { notBeforeMs })).toBe(TWO);
    hold.resolve();
    expect(await older).toBe(ONE);
    expect(stack.resolve(image)).toMatchObject({ digest: TWO });
  });

  it('keeps what it found when an older look-up is refused late', async () => {
    const hold = Promise.withResolvers<void>();
    await using registry = await startRegistry([
      { status: 404, hold: hold.promise, times: 1 },
      told(TWO),
    ]);
    await using stack = new ResolverStack(registry);
    const image = `${registry.host}/app:1.0`;
    const older = stack.digestOf(image);
    await registry.received(1);
    stack.pass(10);
    await stack.resolve(image, { notBeforeMs: stack.cluster.nowMs });
    hold.resolve();
    expect(await older).toBe('not_found');
    expect(stack.resolve(image)).toMatchObject({ digest: TWO });
  });

  it('shares a look-up with other refreshes', async () => {
    await using registry = await startRegistry([told(ONE)]);
    await using stack = new ResolverStack(registry);
    const notBeforeMs = stack.cluster.nowMs;
    const answers = Array.from({ length: 50 }, () =>
      stack.digestOf(`${registry.host}/app:1.0`, { notBeforeMs }),
    );
    expect(new Set(await Promise.all(answers))).toEqual(new Set([ONE]));
    expect(registry.requests).toHaveLength(1);
  });

  it('fails rather than take the last known digest, which stays fresh for others', async () => {
    await using registry = await startRegistry([told(ONE, { times: 1 }), { status: 429 }]);
    await using stack = new ResolverStack(registry);
    const image = `${registry.host}/app:1.0`;
    await stack.resolve(image);
    stack.pass(10);
    expect(await stack.digestOf(image, { notBeforeMs: stack.cluster.nowMs })).toBe('rate_limited');
    expect(stack.resolve(image)).toMatchObject({ digest: ONE, stale: false });
  });
});

describe('createResolver() with pull secrets', () => {
  it('never shares an answer between tenants with different secrets', async () => {
    await using registry = await startRegistry([
      forUser('alice', told(ONE)),
      forUser('bob', { status: 403 }),
      ASKS_FOR_BASIC,
    ]);
    await using stack = new ResolverStack(registry);
    for (const user of ['alice', 'bob']) {
      const auths: Record<string, [string, string]> = { [registry.host]: [user, 'x'] };
      stack.cluster.secrets.set(`${user}/regcred`, pullSecret('regcred', auths));
    }
    const image = `${registry.host}/private:1.0`;
    const asked = ['alice', 'bob'].map((namespace) =>
      stack.digestOf(image, { namespace, pullSecrets: ['regcred'] }),
    );
    expect(await Promise.all(asked)).toEqual([ONE, 'unauthorized']);
    // Nor later, when the one's digest is known.
    stack.pass(5000);
    const again = { namespace: 'bob', pullSecrets: ['regcred'] };
    expect(await stack.digestOf(image, again)).toBe('unauthorized');
    expect(await stack.digestOf(image, { namespace: 'carol' })).toBe('unauthorized');
    const known = { namespace: 'alice', pullSecrets: ['regcred'] };
    expect(stack.resolve(image, known)).toMatchObject({ digest: ONE });
  });

  it('shares an answer between namespaces with the same credentials', async () => {
    await using registry = await startRegistry([forUser('alice', told(ONE)), ASKS_FOR_BASIC]);
    await using stack = new ResolverStack(registry);
    const auths: Record<string, [string, string]> = { [registry.host]: ['alice', 'x'] };
    for (const namespace of ['one', 'two']) {
      stack.cluster.secrets.set(`${namespace}/regcred`, pullSecret('regcred', auths));
      const ask = { namespace, pullSecrets: ['regcred'] };
      expect(await stack.digestOf(`${registry.host}/app:1.0`, ask)).toBe(ONE);
    }
    expect(registry.requests).toHaveLength(2);
  });

  it('reads the secret again, once, where the registry refuses it', async () => {
    await using registry = await startRegistry([forUser('new', told(ONE)), ASKS_FOR_BASIC]);
    await using stack = new ResolverStack(registry);
    const { secrets, reads } = stack.cluster;
    const ask = { pullSecrets: ['regcred'] };
    secrets.set('team/regcred', pullSecret('regcred', { [registry.host]: ['old', 'x'] }));
    expect(await stack.digestOf(`${registry.host}/app:1.0`, ask)).toBe('unauthorized');
    // Unchanged: read twice, and the registry not asked again.
    expect(reads).toHaveLength(2);
    expect(registry.requests).toHaveLength(2);
    secrets.set('team/regcred', pullSecret('regcred', { [registry.host]: ['new', 'x'] }));
    stack.pass(5000);
    expect(await stack.digestOf(`${registry.host}/app:1.0`, ask)).toBe(ONE);
    expect(reads).toHaveLength(3);
  });

  it('reads no secret again where there is none', async () => {
    await using registry = await startRegistry([ASKS_FOR_BASIC]);
    await using stack = new ResolverStack(registry);
    expect(await stack.failureOf(`${registry.host}/app:1.0`)).toMatchObject({
      code: 'unauthorized',
      message: expect.stringContaining('asks for a user name and password'),
    });
    expect(stack.cluster.reads).toEqual([]);
  });

  it.each<[number, string]>([
    [401, 'forbidden_secret'],
    [404, 'forbidden_secret'],
    [503, 'unavailable'],
  ])('names the secrets that were not read behind a %i', async (status, code) => {
    await using registry = await startRegistry([{ status }]);
    await using stack = new ResolverStack(registry);
    stack.cluster.secrets.set('team/one', new PinError('forbidden_secret', 'may not read "one"'));
    const image = `${registry.host}/app:1.0`;
    const error = await stack.failureOf(image, { pullSecrets: ['one', 'two'] });
    expect(error.code).toBe(code);
    const problems = ', and may not read "one", pull secret "team/two" does not exist';
    expect(error.message.endsWith(problems)).toBe(status !== 503);
  });

  it('says nothing of a secret that was not read where the registry asks for none', async () => {
    await using registry = await startRegistry([told(ONE)]);
    await using stack = new ResolverStack(registry);
    const ask = { pullSecrets: ['gone'] };
    expect(await stack.digestOf(`${registry.host}/app:1.0`, ask)).toBe(ONE);
  });

  it('fails with a malformed secret, and asks no registry', async () => {
    await using registry = await startRegistry([told(ONE)]);
    await using stack = new ResolverStack(registry);
    stack.cluster.secrets.set('team/broken', {
      type: 'kubernetes.io/dockerconfigjson',
      data: { '.dockerconfigjson': 'no base64!' },
    });
    const ask = { pullSecrets: ['broken'] };
    expect(await stack.digestOf(`${registry.host}/app:1.0`, ask)).toBe('invalid_secret');
    expect(registry.requests).toHaveLength(0);
  });

  it('waits for an API server no longer than the review has time', async () => {
    await using registry = await startRegistry([told(ONE)]);
    await using stack = new ResolverStack(registry);
    stack.cluster.hold = new Promise(() => {});
    const ask = { pullSecrets: ['regcred'], deadlineMs: 30 };
    expect(await stack.failureOf(`${registry.host}/app:1.0`, ask)).toMatchObject({
      code: 'secret_unreadable',
      message: 'the API server did not tell the pull secrets within the time of the review',
    });
  });
});

describe('createResolver() that is only looked into', () => {
  it('tells what is fresh to whoever has the credentials, and asks nobody', async () => {
    await using registry = await startRegistry([told(ONE)]);
    await using stack = new ResolverStack(registry);
    stack.cluster.secrets.set('team/regcred', pullSecret('regcred', {}));
    const image = `${registry.host}/app:1.0`;
    const mine = { pullSecrets: ['regcred'] };
    expect(stack.peek(image)).toBeUndefined();
    await stack.digestOf(image);
    expect(stack.peek(image)).toMatchObject({ digest: ONE, ageMs: 0 });
    // Their secret would have to be read first.
    expect(stack.peek(image, mine)).toBeUndefined();
    expect(stack.cluster.reads).toEqual([]);
    await stack.digestOf(image, mine);
    expect(stack.peek(image, mine)).toMatchObject({ digest: ONE });
    const { length } = registry.requests;
    const observed = [...stack.observed];
    stack.pass(CACHE_TTL_MS);
    expect(stack.peek(image)).toBeUndefined();
    expect(registry.requests).toHaveLength(length);
    expect(stack.observed).toEqual(observed);
  });

  it('tells the failure that is remembered', async () => {
    await using registry = await startRegistry([{ status: 404 }]);
    await using stack = new ResolverStack(registry);
    const image = `${registry.host}/app:1.0`;
    expect(await stack.digestOf(image)).toBe('not_found');
    expect(stack.peek(image)).toMatchObject({ code: 'not_found' });
  });
});
