import { describe, expect, it } from '@jest/globals';

import type { Credential, CredentialSource, Offer } from '../../src/credentials/credential.ts';
import { PinError } from '../../src/errors.ts';
import { askOnce, type How, lookUp } from '../support/look-up.ts';
import { createRegistryStack } from '../support/registry-stack.ts';
import { type Rule, startRegistry } from '../support/scripted-registry.ts';

const DIGEST = `sha256:${'a'.repeat(64)}`;
const OLD: Credential = { username: 'robot', password: 'canary-old' };
const NEW: Credential = { username: 'robot', password: 'canary-new' };
const ALICE: Credential = { username: 'alice', password: 'canary-alice' };

function basic({ username, password }: Credential): string {
  return `Basic ${btoa(`${username}:${password}`)}`;
}

const TOLD: Rule = { headers: { 'docker-content-digest': DIGEST } };
const ASKS: Rule = { status: 401, headers: { 'www-authenticate': 'Basic realm="r"' } };

function toldTo(credential: Credential): Rule {
  return { ...TOLD, when: { headers: { authorization: basic(credential) } } };
}

function refuses(credential: Credential, status: number): Rule {
  return { when: { headers: { authorization: basic(credential) } }, status };
}

/** A source that gives one answer after the other, the last for ever; records how it is used. */
function sourceOf(
  answers: readonly (readonly Credential[] | PinError)[],
  covers: boolean = true,
): CredentialSource & { readonly calls: string[] } {
  const calls: string[] = [];
  const left = [...answers];
  return {
    name: 'cloud',
    calls,
    covers: () => covers,
    forget: () => void calls.push('forget'),
    offersFor: async (): Promise<readonly Offer[]> => {
      calls.push('ask');
      const answer = left.length > 1 ? left.shift() : left[0];
      if (answer instanceof PinError) throw answer;
      return (answer ?? []).map((credential) => ({ credential, origin: 'the cloud' }));
    },
  };
}

/** Which credentials the registry saw, in their order. */
async function shown(rules: readonly Rule[], how: How): Promise<readonly unknown[]> {
  const { requests } = await askOnce(rules, how);
  return requests.flatMap(({ headers }) => headers.authorization ?? []);
}

describe('triesOf()', () => {
  it('tries the own credentials before those that are lent, and asks no source before', async () => {
    const source = sourceOf([[NEW]]);
    const how = { credentials: [ALICE], lent: [source] };
    expect(await shown([toldTo(ALICE), ASKS], how)).toEqual([basic(ALICE)]);
    expect(source.calls).toEqual([]);
    expect(await shown([toldTo(NEW), ASKS], how)).toEqual([basic(ALICE), basic(NEW)]);
  });

  it('asks no source that does not cover the image', async () => {
    const source = sourceOf([[NEW]], false);
    expect(await shown([ASKS], { lent: [source] })).toEqual([]);
    expect(source.calls).toEqual([]);
  });

  it('asks no source for a host that is not there', async () => {
    const source = sourceOf([[NEW]]);
    const { answer } = await askOnce([{ fault: 'reset' }], { lent: [source] });
    expect(answer).toMatchObject({ code: 'unavailable' });
    expect(source.calls).toEqual([]);
  });

  it('finds out whether a host is there by the request that comes first anyway', async () => {
    const source = sourceOf([[NEW]]);
    await using registry = await startRegistry([toldTo(NEW), ASKS]);
    await using stack = createRegistryStack({ plainHttp: [registry.host] });
    const how = { lent: [source] };
    expect(await lookUp(stack, registry, how)).toMatchObject({ digest: DIGEST });
    expect(await lookUp(stack, registry, how)).toMatchObject({ digest: DIGEST });
    const asked = registry.requests.map(({ path, headers }) => [path, headers.authorization]);
    const path = '/v2/team/app/manifests/1.0';
    expect(asked).toEqual([
      [path, undefined],
      [path, basic(NEW)],
      [path, basic(NEW)],
    ]);
  });

  it('takes that for the answer where no source has a credential', async () => {
    const { answer, requests } = await askOnce([TOLD], { lent: [sourceOf([[]])] });
    expect(answer).toMatchObject({ digest: DIGEST });
    expect(requests).toHaveLength(1);
  });

  it.each([400, 401, 403])(
    'asks a source anew, once, where %i says its credential has ended',
    async (status) => {
      const source = sourceOf([[OLD], [NEW]]);
      const { answer } = await askOnce([refuses(OLD, status), toldTo(NEW), ASKS], {
        lent: [source],
      });
      expect(answer).toMatchObject({ digest: DIGEST, attempts: 2 });
      expect(source.calls).toEqual(['ask', 'forget', 'ask']);
    },
  );

  it('asks a source anew where the token server refuses its credential', async () => {
    const source = sourceOf([[OLD], [NEW]]);
    const { answer } = await askOnce(
      [
        { ...refuses(OLD, 400), when: { path: '/token', headers: { authorization: basic(OLD) } } },
        { when: { path: '/token' }, body: JSON.stringify({ token: 't' }) },
        { ...TOLD, when: { headers: { authorization: 'Bearer t' } } },
        { status: 401, headers: { 'www-authenticate': 'Bearer realm="/token"' } },
      ],
      { lent: [source] },
    );
    expect(answer).toMatchObject({ digest: DIGEST });
  });

  it('shows what a source gives again no second time', async () => {
    const source = sourceOf([[OLD], [{ ...OLD }]]);
    const rules = [refuses(OLD, 403), ASKS];
    expect(await shown(rules, { lent: [source] })).toEqual([basic(OLD)]);
    expect(source.calls).toEqual(['ask', 'forget', 'ask']);
  });

  it('takes another identity token for another credential', async () => {
    const identity = { username: '', password: '', identityToken: 'canary-one' };
    const source = sourceOf([[identity], [{ ...identity, identityToken: 'canary-two' }]]);
    const { requests } = await askOnce(
      [
        { when: { path: '/token' }, status: 401 },
        { status: 401, headers: { 'www-authenticate': 'Bearer realm="/token"' } },
      ],
      { lent: [source] },
    );
    const forms = requests.filter(({ method }) => method === 'POST').map(({ body }) => body);
    expect(forms.map((form) => new URLSearchParams(form).get('refresh_token'))).toEqual([
      'canary-one',
      'canary-two',
    ]);
  });

  it('ends after the second answer of a source, whatever it would give next', async () => {
    const source = sourceOf([[OLD], [NEW], [ALICE]]);
    expect(await shown([ASKS], { lent: [source] })).toEqual([basic(OLD), basic(NEW)]);
  });

  it('keeps what a source gave where the tag is not there', async () => {
    const source = sourceOf([[OLD], [NEW]]);
    const { answer } = await askOnce([refuses(OLD, 404), ASKS], { lent: [source] });
    expect(answer).toMatchObject({ code: 'not_found' });
    expect(source.calls).toEqual(['ask']);
  });

  it('asks without a credential where a source has none', async () => {
    const { answer } = await askOnce([TOLD], { lent: [sourceOf([[]])] });
    expect(answer).toMatchObject({ digest: DIGEST, attempts: 1 });
  });

  it('says which source failed where the registry refuses', async () => {
    const failure = new PinError('credential_source_failed', 'the cloud did not answer');
    const { answer, host } = await askOnce([ASKS], { lent: [sourceOf([failure])] });
    expect(answer).toMatchObject({
      code: 'unauthorized',
      message: `${host} asks for a user name and password, asked without a credential; the cloud did not answer`,
    });
  });

  it('tries 20 credentials, and says so where there are more', async () => {
    const credentials = Array.from({ length: 21 }, (_, n) => ({ ...ALICE, username: `u${n}` }));
    const { answer, host, requests } = await askOnce([ASKS], { credentials });
    expect(requests.filter(({ headers }) => headers.authorization)).toHaveLength(20);
    expect(answer).toMatchObject({
      code: 'unauthorized',
      message: `${host} answered 401 (not found, or no access), asked with secret 1, secret 2, secret 3 and 17 more; no more than 20 credentials are tried`,
    });
    const enough = await askOnce([ASKS], { credentials: credentials.slice(1) });
    expect(enough.answer).toMatchObject({ message: expect.not.stringContaining('no more than') });
  });
});

describe('triesOf() with the anonymous fallback', () => {
  const PUBLIC_TO_NOBODY_ELSE: readonly Rule[] = [refuses(ALICE, 403), { ...ASKS, times: 1 }, TOLD];

  it('asks without a credential when all were refused', async () => {
    const how = { credentials: [ALICE], anonymousFallback: true };
    const { answer, requests } = await askOnce(PUBLIC_TO_NOBODY_ELSE, how);
    expect(answer).toMatchObject({ digest: DIGEST, attempts: 2 });
    expect(requests.at(-1)?.headers).not.toHaveProperty('authorization');
  });

  it('does not where it is not asked for, as kubelet', async () => {
    const { answer } = await askOnce(PUBLIC_TO_NOBODY_ELSE, { credentials: [ALICE] });
    expect(answer).toMatchObject({ code: 'unauthorized' });
  });

  it('says that it did where that is refused, too', async () => {
    const how = { credentials: [ALICE], anonymousFallback: true };
    const { answer, host, requests } = await askOnce([ASKS], how);
    expect(answer).toMatchObject({
      code: 'unauthorized',
      message: `${host} answered 401 (not found, or no access), asked with secret 1, then without a credential`,
    });
    expect(requests).toHaveLength(3);
  });

  it('asks once where there is no credential', async () => {
    const { requests } = await askOnce([ASKS], { anonymousFallback: true });
    expect(requests).toHaveLength(1);
  });
});
