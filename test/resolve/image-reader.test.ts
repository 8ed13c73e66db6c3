import { describe, expect, it } from '@jest/globals';

import { PinError } from '../../src/errors.ts';
import { parseReference } from '../../src/image/reference.ts';
import type { Endpoint } from '../../src/registry/hosts.ts';
import type { TagList } from '../../src/registry/tag-list.ts';
import { createBreaker } from '../../src/resolve/breaker.ts';
import { createGate } from '../../src/resolve/gate.ts';
import { createImageReader, type ImageReader } from '../../src/resolve/image-reader.ts';
import { createLimits } from '../../src/resolve/limits.ts';
import type { Patience } from '../../src/resolve/patience.ts';
import { createRoute } from '../../src/resolve/route.ts';
import { INDEX, INDEX_DIGEST } from '../support/answers.ts';
import { createRegistryStack } from '../support/registry-stack.ts';
import { type Rule, type ScriptedRegistry, startRegistry } from '../support/scripted-registry.ts';

const LIST = '/v2/app/tags/list';
const now = (): number => performance.now();
const QUESTION = {
  identity: { namespace: 'team', pullSecrets: [], serviceAccount: undefined },
  timeMs: 20_000,
};
const NOBODY = { own: [], lent: [], fingerprint: 'anonymous' };

const TWICE: Patience = async (act) => {
  try {
    return await act(undefined);
  } catch {
    return act(0);
  }
};

function unused(): never {
  throw new Error('this was not to be asked');
}

interface Stage extends AsyncDisposable {
  /** In the order in which they are asked; the last is the registry. */
  readonly places: readonly ScriptedRegistry[];
  readonly reader: ImageReader;
}

/** The real reader over places with these answers. */
async function stage(
  scripts: readonly (readonly Rule[])[],
  more: { readonly patience?: Patience } = {},
): Promise<Stage> {
  const places = await Promise.all(scripts.map((rules) => startRegistry(rules)));
  const stack = createRegistryStack({ plainHttp: places.map(({ host }) => host) });
  const endpoints = places.map(
    ({ origin, host }, index): Endpoint => ({
      origin,
      registry: host,
      root: '/v2',
      repository: 'app',
      isRegistry: index === places.length - 1,
    }),
  );
  const reader = createImageReader({
    reader: stack.reader,
    route: createRoute({
      client: stack.client,
      endpointsOf: async () => endpoints,
      gate: createGate(() => {}),
      breaker: createBreaker({ now, random: () => 0, observe: () => {} }),
      now,
    }),
    limits: createLimits(),
    pullSecrets: { keyringOf: () => ({ accessTo: () => NOBODY, problems: [] }) },
    now,
    ...more,
  });
  return {
    places,
    reader,
    [Symbol.asyncDispose]: async () => {
      await stack[Symbol.asyncDispose]();
      await Promise.all(places.map((place) => place[Symbol.asyncDispose]()));
    },
  };
}

const IMAGE = parseReference('r.example.com/app:1');

/** A page of tags, and the way to the next one. */
function page(after: string | null, tags: readonly string[], next?: string): Rule {
  return {
    when: { path: LIST, also: ({ query }) => query.get('last') === after },
    headers: next === undefined ? {} : { link: `<${LIST}?last=${next}&n=2>; rel="next"` },
    body: JSON.stringify({ tags }),
  };
}

/** The pages that come, and what they end with. */
async function pagesOf({ reader }: Stage): Promise<(readonly string[] | PinError)[]> {
  const pages: (readonly string[] | PinError)[] = [];
  try {
    for await (const { tags } of reader.tags(IMAGE, QUESTION)) pages.push(tags);
  } catch (caught) {
    if (!(caught instanceof PinError)) throw caught;
    pages.push(caught);
  }
  return pages;
}

function queriesOf({ requests }: ScriptedRegistry): string[] {
  return requests.map(({ query }) => query.toString());
}

describe('ImageReader.tags()', () => {
  it('goes from page to page, and asks for none before it is wanted', async () => {
    await using at = await stage([[page(null, ['a', 'b'], 'b'), page('b', ['c'])]]);
    const pages: TagList[] = [];
    const seen: number[] = [];
    for await (const one of at.reader.tags(IMAGE, QUESTION)) {
      pages.push(one);
      seen.push(at.places[0]?.requests.length ?? 0);
    }
    expect(pages.map(({ tags }) => tags)).toEqual([['a', 'b'], ['c']]);
    expect(seen).toEqual([1, 2]);
    expect(at.places.flatMap(queriesOf)).toEqual(['n=1000', 'last=b&n=2']);
  });

  it('stays with the mirror that had the first page', async () => {
    await using at = await stage([
      [{ status: 503 }],
      [page(null, ['a'], 'a'), page('a', ['b'])],
      [page(null, ['other'])],
    ]);
    expect(await pagesOf(at)).toEqual([['a'], ['b']]);
    expect(at.places.map(({ requests }) => requests.length)).toEqual([1, 2, 0]);
  });

  it('asks no other place for a page that the mirror fails to have', async () => {
    await using at = await stage([
      [page(null, ['a'], 'a'), { status: 404 }],
      [page(null, ['x']), page('a', ['y'])],
    ]);
    const [first, failure] = await pagesOf(at);
    expect(first).toEqual(['a']);
    expect(failure).toMatchObject({ code: 'not_found', host: at.places[0]?.host });
    expect(at.places[1]?.requests).toEqual([]);
  });

  it.each<[string, readonly Rule[]]>([
    ['itself', [page(null, ['a'], 'a'), page('a', ['b'], 'a')]],
    ['an earlier one', [page(null, ['a'], 'a'), page('a', ['b'], 'b'), page('b', ['c'], 'a')]],
  ])('follows no page that leads back to %s', async (_, rules) => {
    await using at = await stage([rules]);
    const pages = await pagesOf(at);
    expect(pages.at(-1)).toMatchObject({
      code: 'invalid_response',
      message: expect.stringContaining('in a circle'),
    });
    expect(pages).toHaveLength(rules.length + 1);
  });

  it('gives up on a list without an end', async () => {
    let last = 0;
    const endless: Rule = {
      body: '{"tags":["a"]}',
      observe: (response) => {
        last += 1;
        response.setHeader('link', `<${LIST}?last=${last}>; rel="next"`);
      },
    };
    await using at = await stage([[endless]]);
    const pages = await pagesOf(at);
    expect(pages).toHaveLength(1002);
    expect(pages.at(-1)).toMatchObject({
      code: 'invalid_response',
      message: expect.stringContaining('more than 1000 pages'),
    });
  });
});

describe('ImageReader', () => {
  it('reads at the next place where one fails, and tells of both', async () => {
    await using at = await stage([[{ status: 500 }], [{ body: INDEX, times: 1 }, { status: 404 }]]);
    expect(await at.reader.manifest(IMAGE, QUESTION)).toMatchObject({ digest: INDEX_DIGEST });
    const failing = at.reader.manifest(IMAGE, QUESTION);
    const [mirror, registry] = at.places.map(({ host }) => host);
    await expect(failing).rejects.toThrow(
      `${registry} answered 404 (not found) (before: ${mirror} answered 500)`,
    );
  });

  it('reads what a mirror serves other bytes for at the registry', async () => {
    const reference = parseReference(`r.example.com/app@${INDEX_DIGEST}`);
    await using at = await stage([[{ body: 'other' }], [{ body: INDEX }]]);
    expect(await at.reader.manifest(reference, QUESTION)).toMatchObject({ digest: INDEX_DIGEST });
  });

  it('asks again as its patience has it', async () => {
    const busy: Rule = { status: 429, headers: { 'retry-after': '0' }, times: 1 };
    await using at = await stage([[busy, { body: INDEX }]], { patience: TWICE });
    expect(await at.reader.manifest(IMAGE, QUESTION)).toMatchObject({ digest: INDEX_DIGEST });
  });

  it('rejects with what keeps the secrets from being read', async () => {
    const problem = new PinError('secret_unreadable', 'no answer');
    const reader = createImageReader({
      reader: { manifest: unused, blob: unused, tags: unused },
      route: { lookup: unused, ask: unused, closedFor: unused },
      limits: createLimits(),
      pullSecrets: { keyringOf: () => problem },
      now,
    });
    await expect(reader.manifest(IMAGE, QUESTION)).rejects.toBe(problem);
  });
});
