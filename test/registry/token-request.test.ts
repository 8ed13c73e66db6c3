import { describe, expect, it } from '@jest/globals';

import type { Credential } from '../../src/credentials/credential.ts';
import { PinError } from '../../src/errors.ts';
import type { Lookup } from '../../src/registry/client.ts';
import { createRegistryStack } from '../support/registry-stack.ts';
import {
  type RecordedRequest,
  type Rule,
  type ScriptedRegistry,
  startRegistry,
} from '../support/scripted-registry.ts';

const DIGEST = `sha256:${'a'.repeat(64)}`;
const IDENTITY: Credential = { username: '', password: '', identityToken: 'canary-identity' };
const CHALLENGE = 'Bearer realm="/token?tenant=7",service="registry",scope="repository:a:pull"';
const ASKS_FOR_TOKEN: Rule = { status: 401, headers: { 'www-authenticate': CHALLENGE } };
const TOLD: Rule = {
  when: { headers: { authorization: 'Bearer t1' } },
  headers: { 'docker-content-digest': DIGEST },
};

function issues(answer: unknown, rule: Rule = {}): Rule {
  return { ...rule, when: { ...rule.when, path: '/token' }, body: JSON.stringify(answer) };
}

function basic(username: string, password: string): string {
  return `Basic ${btoa(`${username}:${password}`)}`;
}

async function ask(
  rules: readonly Rule[],
  credential: Credential,
): Promise<{
  readonly answer: Lookup | PinError;
  readonly registry: ScriptedRegistry;
  readonly asked: readonly RecordedRequest[];
}> {
  await using registry = await startRegistry(rules);
  await using stack = createRegistryStack({ plainHttp: [registry.host] });
  const how = { credentials: [credential], signal: AbortSignal.timeout(30_000) };
  const answer = await stack
    .lookup(`${registry.host}/team/app:1.0`, how)
    .catch((error: unknown) => {
      if (error instanceof PinError) return error;
      throw error;
    });
  const asked = registry.requests.filter(({ path }) => path === '/token');
  return { answer, registry, asked };
}

describe('requestToken() with an identity token', () => {
  it('posts the form of OAuth2, and no password', async () => {
    const { answer, asked } = await ask(
      [issues({ access_token: 't1' }, { when: { method: 'POST' } }), TOLD, ASKS_FOR_TOKEN],
      IDENTITY,
    );
    expect(answer).toMatchObject({ digest: DIGEST });
    expect(asked).toHaveLength(1);
    expect(asked[0]?.headers['content-type']).toBe('application/x-www-form-urlencoded');
    expect(asked[0]?.headers).not.toHaveProperty('authorization');
    expect(Object.fromEntries(asked[0]?.query ?? [])).toEqual({ tenant: '7' });
    expect(Object.fromEntries(new URLSearchParams(asked[0]?.body))).toEqual({
      grant_type: 'refresh_token',
      refresh_token: IDENTITY.identityToken,
      service: 'registry',
      client_id: 'tagpin',
      scope: 'repository:a:pull',
    });
  });

  it.each([404, 405])('asks by GET where POST is answered %i', async (status) => {
    const { answer, asked } = await ask(
      [
        issues({}, { when: { method: 'POST' }, status }),
        issues({ token: 't1' }),
        TOLD,
        ASKS_FOR_TOKEN,
      ],
      IDENTITY,
    );
    expect(answer).toMatchObject({ digest: DIGEST });
    expect(asked.map(({ method }) => method)).toEqual(['POST', 'GET']);
    expect(asked[1]?.headers.authorization).toBe(basic('<token>', 'canary-identity'));
    expect(asked[1]?.query.get('service')).toBe('registry');
  });

  it('shows the user that stands beside the identity token', async () => {
    const { asked } = await ask(
      [
        issues({}, { when: { method: 'POST' }, status: 404 }),
        issues({ token: 't1' }),
        TOLD,
        ASKS_FOR_TOKEN,
      ],
      { ...IDENTITY, username: 'robot' },
    );
    expect(asked[1]?.headers.authorization).toBe(basic('robot', 'canary-identity'));
  });

  it.each([400, 401, 403])('asks no other way where POST is answered %i', async (status) => {
    const { answer, registry, asked } = await ask(
      [issues({ error: 'canary-body' }, { when: { method: 'POST' }, status }), ASKS_FOR_TOKEN],
      IDENTITY,
    );
    expect(asked).toHaveLength(1);
    expect(answer).toMatchObject({
      code: 'unauthorized',
      message: `the token server ${registry.host} answered ${status}, asked with secret 1`,
    });
  });

  it.each([307, 308])('sends the form nowhere else where POST is answered %i', async (status) => {
    await using other = await startRegistry([issues({ token: 't1' })]);
    const location = `${other.origin}/token`;
    for (const target of [location, '/token-of-another-path']) {
      const { answer, asked } = await ask(
        [issues({}, { status, headers: { location: target } }), ASKS_FOR_TOKEN],
        IDENTITY,
      );
      expect(answer).toMatchObject({ code: 'unauthorized' });
      expect(asked).toHaveLength(1);
    }
    expect(other.requests).toHaveLength(0);
  });

  it('is not shown to a registry that asks for a password', async () => {
    const challenge = { 'www-authenticate': 'Basic realm="r"' };
    const { answer, registry } = await ask([{ status: 401, headers: challenge }], IDENTITY);
    expect(answer).toMatchObject({
      code: 'unauthorized',
      message: `${registry.host} asks for a user name and password, asked with secret 1`,
    });
    expect(registry.requests).toHaveLength(1);
  });
});

describe('requestToken()', () => {
  it('shows nothing of a credential that is empty', async () => {
    const { answer, asked } = await ask([issues({ token: 't1' }), TOLD, ASKS_FOR_TOKEN], {
      username: '',
      password: '',
    });
    expect(answer).toMatchObject({ digest: DIGEST });
    expect(asked[0]?.headers).not.toHaveProperty('authorization');
  });

  it('takes "access_token" where "token" is empty', async () => {
    const { answer } = await ask(
      [issues({ token: '', access_token: 't1' }), TOLD, ASKS_FOR_TOKEN],
      { username: 'alice', password: 'a' },
    );
    expect(answer).toMatchObject({ digest: DIGEST });
  });

  it.each([-3_600_000, 3_600_000])(
    'begins the life of a token now, though it is issued %i ms from now',
    async (shiftMs) => {
      const issued_at = new Date(Date.now() + shiftMs).toISOString();
      await using registry = await startRegistry([
        issues({ token: 't1', expires_in: 300, issued_at }),
        TOLD,
        ASKS_FOR_TOKEN,
      ]);
      let nowMs = 1_000_000;
      await using stack = createRegistryStack({ plainHttp: [registry.host], now: () => nowMs });
      const lookup = (): Promise<Lookup> =>
        stack.lookup(`${registry.host}/team/app:1.0`, {
          credentials: [],
          signal: AbortSignal.timeout(30_000),
        });
      await lookup();
      nowMs += 295_000;
      await lookup();
      expect(registry.requests).toHaveLength(4);
      nowMs += 1;
      await lookup();
      expect(registry.requests).toHaveLength(7);
    },
  );

  it('keeps the identity token of the operator, whatever new one is given', async () => {
    await using registry = await startRegistry([
      issues({ access_token: 't1', refresh_token: 'another' }),
      TOLD,
      ASKS_FOR_TOKEN,
    ]);
    let nowMs = 1_000_000;
    await using stack = createRegistryStack({ plainHttp: [registry.host], now: () => nowMs });
    for (const _ of ['first', 'after the token has ended']) {
      const signal = AbortSignal.timeout(30_000);
      await stack.lookup(`${registry.host}/team/app:1.0`, { credentials: [IDENTITY], signal });
      nowMs += 3_600_000;
    }
    const asked = registry.requests.filter(({ path }) => path === '/token');
    expect(asked.map(({ body }) => new URLSearchParams(body).get('refresh_token'))).toEqual([
      IDENTITY.identityToken,
      IDENTITY.identityToken,
    ]);
  });
});

describe('requestToken()', () => {
  it('says that it is the token server that does not answer, and who names it', async () => {
    const server = await startRegistry([]);
    await server[Symbol.asyncDispose]();
    const challenge = `Bearer realm="http://${server.host}/token",service="registry"`;
    await using registry = await startRegistry([
      { status: 401, headers: { 'www-authenticate': challenge } },
    ]);
    await using stack = createRegistryStack({ plainHttp: [registry.host, server.host] });
    const signal = AbortSignal.timeout(30_000);
    const asked = stack.lookup(`${registry.host}/a:1`, { credentials: [], signal });
    await expect(asked).rejects.toMatchObject({
      code: 'unavailable',
      message: `the token server ${server.host} refuses connections`,
      advice: `see whether it answers: ${registry.host} names it`,
    });
  });
});
