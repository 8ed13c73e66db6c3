import { describe, expect, it } from '@jest/globals';

import { parseReference } from '../../src/image/reference.ts';
import type { FindEndpoints } from '../../src/registry/hosts.ts';
import { type Answered, createPing } from '../../src/registry/ping.ts';
import { createAuthority } from '../support/certificate.ts';
import { createRegistryStack } from '../support/registry-stack.ts';
import { type Rule, type ScriptedRegistry, startRegistry } from '../support/scripted-registry.ts';

const PING_MS = 60_000;
const CHALLENGE = { 'www-authenticate': 'Bearer realm="https://a.example/token"' };

async function ping({ host }: ScriptedRegistry, timeMs: number = PING_MS): Promise<Answered[]> {
  await using stack = createRegistryStack({ plainHttp: [host] });
  const pinged = await createPing(stack.transport, stack.endpointsOf)(
    parseReference(`${host}/team/app:1`),
    timeMs,
  );
  return [...pinged];
}

const ANSWERS: readonly (readonly [what: string, rule: Rule, code: string | undefined])[] = [
  ['200', { body: '{}' }, undefined],
  ['401 with a challenge', { status: 401, headers: CHALLENGE }, undefined],
  ['401 without one', { status: 401 }, 'unauthorized'],
  ['403', { status: 403 }, 'unauthorized'],
  ['404', { status: 404 }, 'invalid_response'],
  ['429', { status: 429 }, 'rate_limited'],
  ['503', { status: 503 }, 'unavailable'],
];

describe('createPing()', () => {
  it.each(ANSWERS)('takes %s for what it is', async (_what, rule, code) => {
    await using registry = await startRegistry([
      { ...rule, when: { method: 'GET', path: '/v2/' } },
    ]);
    const [answered] = await ping(registry);
    expect(answered).toMatchObject({ origin: registry.origin });
    expect(answered?.error?.code).toBe(code);
    expect(registry.requests[0]?.headers.authorization).toBeUndefined();
  });

  it('tells a host that refuses from one that is slow, and from one that is not trusted', async () => {
    const gone = await startRegistry([]);
    await gone[Symbol.asyncDispose]();
    expect((await ping(gone))[0]?.error?.message).toBe(`${gone.host} refuses connections`);

    await using slow = await startRegistry([{ fault: 'silence' }]);
    expect((await ping(slow, 50))[0]?.error?.code).toBe('deadline_exceeded');

    const authority = await createAuthority();
    await using strange = await startRegistry([], await authority.issue(['127.0.0.1']));
    await using stack = createRegistryStack();
    const asked = parseReference(`${strange.host}/team/app:1`);
    const [answered] = await createPing(stack.transport, stack.endpointsOf)(asked, PING_MS);
    expect(answered?.error?.code).toBe('tls_failed');
  });

  it('asks each place of an image, mirrors too', async () => {
    await using registry = await startRegistry([{ body: '{}' }]);
    await using mirror = await startRegistry([{ status: 500 }]);
    await using stack = createRegistryStack({ plainHttp: [registry.host, mirror.host] });
    const endpointsOf: FindEndpoints = async (reference) => {
      const [own] = await stack.endpointsOf(reference);
      if (own === undefined) throw new Error('There is no place');
      return [{ ...own, origin: mirror.origin, isRegistry: false, root: '/proxy/v2' }, own];
    };
    const asked = parseReference(`${registry.host}/team/app:1`);
    const answered = await createPing(stack.transport, endpointsOf)(asked, PING_MS);
    expect(answered.map(({ origin, error }) => [origin, error?.code])).toEqual([
      [mirror.origin, 'unavailable'],
      [registry.origin, undefined],
    ]);
    expect(mirror.requests.map(({ path }) => path)).toEqual(['/proxy/v2/']);
  });
});
