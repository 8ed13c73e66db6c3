import { describe, expect, it } from '@jest/globals';
import type { RegistryRequest } from '../../src/registry/exchange.ts';
import { sendManifestRequest } from '../../src/registry/manifest-request.ts';
import { type Sender, strangerBefore } from '../../src/registry/sender.ts';

const NAMED: ReadonlySet<string> = new Set(['named.corp.example', 'inner.corp.example']);
const guard = { isNamed: ({ hostname }: URL): boolean => NAMED.has(hostname) };

/** Hosts that lead one to the other, and last the one that is asked. */
function chainOf(...hosts: readonly string[]): Sender {
  const [first = '', ...rest] = hosts;
  return rest.reduce<Sender>((sender, host) => ({ url: new URL(`https://${host}`), sender }), {
    url: new URL(`https://${first}`),
  });
}

describe('strangerBefore()', () => {
  it.each<[string, readonly string[], string | undefined]>([
    ['nobody where an image names the host', ['inner.corp.example'], undefined],
    ['nobody where a named one leads there', ['named.corp.example', 'token.test'], undefined],
    ['nobody where one of its domain does', ['r.corp.example', 'inner.corp.example'], undefined],
    ['nobody where its other port does', ['evil.io', 'evil.io:5000'], undefined],
    ['whoever is neither', ['evil.io', 'inner.corp.example'], 'evil.io'],
    ['another domain of a public suffix', ['a.github.io', 'b.github.io'], 'a.github.io'],
    ['another address', ['10.0.0.1', '10.0.0.2'], '10.0.0.1'],
    [
      'whoever led to a named one that leads on',
      ['evil.io', 'named.corp.example', 'inner.corp.example'],
      'evil.io',
    ],
    [
      'the first of several',
      ['named.corp.example', 'one.test', 'two.example', 'inner.corp.example'],
      'one.test',
    ],
  ])('is %s: %j', (_what, hosts, expected) => {
    expect(strangerBefore(guard, chainOf(...hosts))?.host).toBe(expected);
  });

  it('is nobody where a file of the operator names the one that leads there', () => {
    const url = new URL('https://inner.corp.example');
    const from = new URL('https://mirror.test');
    const [yes, no] = [true, false].map((named): Sender => ({ url: from, connection: { named } }));
    expect(strangerBefore(guard, { url, sender: yes })).toBeUndefined();
    expect(strangerBefore(guard, { url, sender: no })?.host).toBe('mirror.test');
  });
});

describe('a redirect to a registry that asks for a token', () => {
  it('is remembered with all that is asked for its sake', async () => {
    const sender: Sender = { url: new URL('https://evil.example/') };
    const sent: RegistryRequest[] = [];
    const scopes: unknown[] = [];
    const answer = { header: () => [], body: Buffer.alloc(0), sender };
    await sendManifestRequest(
      {
        transport: {
          send: async (request) => {
            sent.push(request);
            const status = sent.length === 1 ? 401 : 200;
            return { ...answer, status, url: new URL('https://other.example/v2/a/manifests/1') };
          },
        },
        authorizer: {
          remembered: () => undefined,
          forget: () => {},
          answer: async (scope) => {
            scopes.push(scope.sender);
            return 'Bearer t';
          },
        },
      },
      {
        endpoint: {
          origin: 'https://evil.example',
          registry: 'evil.example',
          root: '/v2',
          repository: 'a',
          isRegistry: true,
        },
        repository: 'a',
        name: '1',
        credential: undefined,
        signal: AbortSignal.timeout(1000),
      },
      'HEAD',
    );
    expect(scopes).toEqual([sender]);
    expect(sent.map((request) => request.sender)).toEqual([undefined, sender]);
  });
});
