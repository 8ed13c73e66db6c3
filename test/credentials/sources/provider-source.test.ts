import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';

import type { CredentialSource } from '../../../src/credentials/credential.ts';
import { runProgram } from '../../../src/credentials/sources/program.ts';
import { parseProviderConfig } from '../../../src/credentials/sources/provider-config.ts';
import { createProviderSource } from '../../../src/credentials/sources/provider-source.ts';
import { parseReference } from '../../../src/image/reference.ts';
import { failureOf } from '../../support/failure-of.ts';
import { Programs } from '../../support/programs.ts';
import { createRecordedLog } from '../../support/recorded-log.ts';

const NOBODY = new AbortController().signal;
const V1 = 'credentialprovider.kubelet.k8s.io/v1';

let programs: Programs;
let nowMs: number;
let observed: string[];
let recorded: ReturnType<typeof createRecordedLog>;

beforeEach(() => {
  programs = new Programs();
  nowMs = 1000;
  observed = [];
  recorded = createRecordedLog();
});
afterEach(() => programs[Symbol.asyncDispose]());

/** Providers by name, in this order; the programs are written beside. */
function sourceOf(providers: Readonly<Record<string, object>>): CredentialSource {
  const defaults = { matchImages: ['*.example'], defaultCacheDuration: '10m', apiVersion: V1 };
  const text = JSON.stringify({
    apiVersion: 'kubelet.config.k8s.io/v1',
    kind: 'CredentialProviderConfig',
    providers: Object.entries(providers).map(([name, more]) => ({ ...defaults, name, ...more })),
  });
  return createProviderSource({
    providers: parseProviderConfig(text, 'f'),
    run: runProgram,
    environment: programs.environment,
    binDir: programs.directory,
    now: () => nowMs,
    observe: (source, result) => observed.push(`${source} ${result}`),
    log: recorded.log,
  });
}

function response(more: object): string {
  const kind = 'CredentialProviderResponse';
  return JSON.stringify({ kind, apiVersion: V1, cacheKeyType: 'Registry', auth: {}, ...more });
}

/** A plugin that answers with these users, by key. */
function plugin(name: string, users: Readonly<Record<string, string>>, more: object = {}): void {
  const auth = Object.fromEntries(
    Object.entries(users).map(([key, username]) => [key, { username, password: `${username}-p` }]),
  );
  programs.program(name, `cat <<'EOF'\n${response({ auth, ...more })}\nEOF`);
}

async function usersFor(source: CredentialSource, image: string): Promise<string[]> {
  const offers = await source.offersFor(parseReference(image), NOBODY);
  return offers.map(({ credential }) => credential.username);
}

describe('createProviderSource(): the protocol', () => {
  it('sends the image without tag and digest, with arguments and environment', async () => {
    const script = 'printf "%s\\n" "$input" "$1" "$WORD" "$DIRECTORY" >"$DIRECTORY/said"';
    programs.program('p', `${script}\necho '${response({})}'`);
    const source = sourceOf({
      p: {
        args: ['get'],
        env: [
          { name: 'WORD', value: 'blue' },
          { name: 'WORD', value: 'red' },
        ],
      },
    });
    const image = `a.example/team/app:1@sha256:${'a'.repeat(64)}`;
    expect(await usersFor(source, image)).toEqual([]);
    const [request, ...rest] = programs.text('said').trim().split('\n');
    expect(JSON.parse(request ?? '')).toEqual({
      apiVersion: V1,
      kind: 'CredentialProviderRequest',
      image: 'a.example/team/app',
    });
    expect(rest).toEqual(['get', 'red', programs.directory]);
    expect(observed).toEqual(['credential_provider none']);
  });

  it('asks about an image of the Hub by its whole name', async () => {
    programs.program('p', `echo "$input" >"$DIRECTORY/said"; echo '${response({})}'`);
    await usersFor(sourceOf({ p: { matchImages: ['docker.io'] } }), 'nginx:1');
    expect(programs.text('said')).toContain('"docker.io/library/nginx"');
  });

  it('offers what the plugin answers, and says of which', async () => {
    plugin('p', { 'a.example': 'alice' });
    const source = sourceOf({ p: {} });
    expect(await source.offersFor(parseReference('a.example/x'), NOBODY)).toEqual([
      {
        credential: { username: 'alice', password: 'alice-p' },
        origin: 'credential provider "p"',
      },
    ]);
    expect(observed).toEqual(['credential_provider found']);
  });

  const broken: readonly (readonly [string, string, string])[] = [
    ['exits with 3', `echo '${response({})}'; echo CANARY >&2; exit 3`, 'ended with status 3'],
    ['answers with garbage', 'echo CANARY', 'did not answer with an object of JSON'],
    ['writes without an end', 'exec yes CANARY', 'wrote more than 64 KiB'],
    ['answers with more than JSON', `echo '${response({})} CANARY'`, 'did not answer with an obj'],
    [
      'answers in another version',
      `echo '${response({ apiVersion: 'credentialprovider.kubelet.k8s.io/v1beta1' })}'`,
      `did not answer with a CredentialProviderResponse of ${V1}`,
    ],
    [
      'answers with another kind',
      `echo '${response({ kind: 'CANARY' })}'`,
      'did not answer with a CredentialProviderResponse',
    ],
    ['has no key type', `echo '${response({ cacheKeyType: 'CANARY' })}'`, 'a valid cacheKeyType'],
    ['has no duration', `echo '${response({ cacheDuration: 'CANARY' })}'`, 'a cacheDuration'],
    ['has a list of auth', `echo '${response({ auth: ['CANARY'] })}'`, 'an auth that is no object'],
    ['has text in auth', `echo '${response({ auth: { a: 'CANARY' } })}'`, 'an entry that is no'],
    [
      'has a user that is no text',
      `echo '${response({ auth: { a: { username: 1, password: 'CANARY' } } })}'`,
      'a user name or a password that is no text',
    ],
  ];

  it.each(broken)('fails with one that %s, and tells nothing of it', async (_, script, reason) => {
    programs.program('p', script);
    const error = await failureOf(usersFor(sourceOf({ p: {} }), 'a.example/x'));
    expect(error.code).toBe('credential_source_failed');
    expect(error.message).toContain('credential provider "p" ');
    expect(error.message).toContain(reason);
    expect(observed).toEqual(['credential_provider credential_source_failed']);
    expect(recorded.lines).toHaveLength(1);
    expect([...recorded.lines, String(error)].join()).not.toContain('CANARY');
  });

  it('takes an answer without auth, and null for what is missing', async () => {
    programs.program('p', `echo '${response({ auth: null, cacheDuration: null })}'`);
    expect(await usersFor(sourceOf({ p: {} }), 'a.example/x')).toEqual([]);
    programs.program('q', `echo '${response({ auth: { 'a.example': { username: 'u' } } })}'`);
    expect(await usersFor(sourceOf({ q: {} }), 'a.example/x')).toEqual(['u']);
  });
});

describe('createProviderSource(): which images, which credentials', () => {
  // The examples of the CredentialProviderConfig's own documentation, and TestUrlsMatch upstream.
  it.each<[string, string, boolean]>([
    ['*.example', 'a.example/x', true],
    ['*.example', 'example/x', false],
    ['*.example', 'a.b.example/x', false],
    ['*.*.example', 'a.b.example/x', true],
    ['pre*.example', 'prefix.example/x', true],
    ['a.example:5000', 'a.example:5000/x', true],
    ['a.example', 'a.example:5000/x', false],
    ['a.example:5000', 'a.example/x', false],
    ['a.example/pong', 'a.example/pongz/x', true],
    ['a.example/pong', 'a.example/ping', false],
    ['a.example/*', 'a.example/x', false],
    ['docker.io', 'nginx', true],
    ['index.docker.io', 'nginx', false],
  ])('%s covers %s: %s', (glob, image, covered) => {
    const source = sourceOf({ p: { matchImages: ['other.test', glob] } });
    expect(source.covers(parseReference(image))).toBe(covered);
  });

  it('asks no plugin about an image that is not its', async () => {
    plugin('p', { 'a.example': 'p' });
    plugin('q', { 'a.example': 'q' });
    const source = sourceOf({
      p: { matchImages: ['a.example'] },
      q: { matchImages: ['b.example'] },
    });
    expect(await usersFor(source, 'a.example/x')).toEqual(['p']);
    expect([programs.starts('p'), programs.starts('q')]).toEqual([1, 0]);
  });

  it('takes the keys that match the image, the longest first, and of one key the earlier plugin', async () => {
    plugin('first', { '*.example': 'glob', 'a.example': 'one', 'b.example': 'no' });
    plugin('second', { 'https://a.example/v2/': 'two', 'a.example/team': 'path' });
    const source = sourceOf({ first: {}, second: {} });
    expect(await usersFor(source, 'a.example/team/x')).toEqual(['path', 'one', 'two', 'glob']);
  });

  it('takes the key index.docker.io for an image of the Hub', async () => {
    plugin('p', { 'https://index.docker.io/v1/': 'hub' });
    expect(await usersFor(sourceOf({ p: { matchImages: ['docker.io'] } }), 'nginx')).toEqual([
      'hub',
    ]);
  });

  it.each(['localhost/app', 'Evil/team/app'])('does not take it for %s', async (image) => {
    plugin('p', { 'https://index.docker.io/v1/': 'hub' });
    expect(await usersFor(sourceOf({ p: { matchImages: ['*'] } }), image)).toEqual([]);
    expect(programs.starts('p')).toBe(1);
  });

  it('offers what the others have when one fails, and fails when they have nothing', async () => {
    programs.program('broken', 'exit 1');
    plugin('good', { 'a.example': 'good' });
    const source = sourceOf({ broken: {}, good: {} });
    expect(await usersFor(source, 'a.example/x')).toEqual(['good']);
    expect(observed.toSorted()).toEqual([
      'credential_provider credential_source_failed',
      'credential_provider found',
    ]);
    const error = await failureOf(usersFor(source, 'b.example/x'));
    expect(error.message).toBe('credential provider "broken" ended with status 1');
  });
});

describe('createProviderSource(): memory', () => {
  const images = ['a.example/x', 'a.example/y', 'b.example/x'];

  it.each<[string, number[]]>([
    ['Image', [1, 2, 3]],
    ['Registry', [1, 1, 2]],
    ['Global', [1, 1, 1]],
  ])('keeps an answer of type %s by that', async (cacheKeyType, starts) => {
    plugin('p', { '*.example': 'u' }, { cacheKeyType });
    const source = sourceOf({ p: {} });
    const counted: number[] = [];
    for (const image of images) {
      expect(await usersFor(source, image)).toEqual(['u']);
      expect(await usersFor(source, image)).toEqual(['u']);
      counted.push(programs.starts('p'));
    }
    expect(counted).toEqual(starts);
  });

  it.each<[string, object, object, number, boolean]>([
    ['its own duration', { cacheDuration: '1m' }, {}, 59_999, true],
    ['its own duration', { cacheDuration: '1m' }, {}, 60_000, false],
    ['the default', { cacheDuration: null }, {}, 599_999, true],
    ['the default', {}, {}, 600_000, false],
    ['none', { cacheDuration: '0s' }, {}, 0, false],
    ['none by default', {}, { defaultCacheDuration: '0s' }, 0, false],
    ['less than none', { cacheDuration: '-1m' }, {}, 0, false],
  ])('keeps an answer for %s: %j %j after %d ms: %s', async (...[, answer, config, ms, kept]) => {
    plugin('p', { '*.example': 'u' }, answer);
    const source = sourceOf({ p: config });
    await usersFor(source, 'a.example/x');
    nowMs += ms;
    await usersFor(source, 'a.example/x');
    expect(programs.starts('p')).toBe(kept ? 1 : 2);
  });

  it('starts a plugin once for all who wait for one image', async () => {
    plugin('p', { '*.example': 'u' }, { cacheDuration: '0s' });
    const source = sourceOf({ p: {} });
    await Promise.all([1, 2, 3, 4].map(() => usersFor(source, 'a.example/x')));
    expect(programs.starts('p')).toBe(1);
  });

  it('starts it 4 times at once and no more, when the answer does for the other images', async () => {
    plugin('p', { '*.example': 'u' });
    const source = sourceOf({ p: {} });
    const many = Array.from({ length: 30 }, (_, n) => `a.example/app-${n}`);
    expect(await Promise.all(many.map((image) => usersFor(source, image)))).toEqual(
      many.map(() => ['u']),
    );
    expect(programs.starts('p')).toBe(4);
  });

  it('asks anew what was forgotten', async () => {
    plugin('p', { '*.example': 'u' }, { cacheKeyType: 'Global' });
    const source = sourceOf({ p: {} });
    await usersFor(source, 'a.example/x');
    nowMs += 5000;
    source.forget(parseReference('b.example/x'));
    await usersFor(source, 'a.example/x');
    expect(programs.starts('p')).toBe(2);
  });

  it('does not start a broken one again for the same image within 3 s', async () => {
    programs.program('p', 'exit 1');
    const source = sourceOf({ p: {} });
    await failureOf(usersFor(source, 'a.example/x'));
    await failureOf(usersFor(source, 'a.example/x'));
    expect(programs.starts('p')).toBe(1);
    nowMs += 3000;
    await failureOf(usersFor(source, 'a.example/x'));
    expect(programs.starts('p')).toBe(2);
  });
});
