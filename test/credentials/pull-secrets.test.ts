import { describe, expect, it } from '@jest/globals';

import type { PodKeyring } from '../../src/credentials/pull-secrets.ts';
import type { PullSecretsOwner } from '../../src/credentials/read-secrets.ts';
import { PinError } from '../../src/errors.ts';
import { parseReference } from '../../src/image/reference.ts';
import { Cluster, pullSecret } from '../support/cluster.ts';
import { until } from '../support/until.ts';

const IMAGE = parseReference('registry.example.com/team/app:1.0');
const MINUTE_MS = 60_000;
/** Whoever waits that long. */
const NEVER = Number.POSITIVE_INFINITY;

function ownerOf(owner: Partial<PullSecretsOwner>): PullSecretsOwner {
  return { namespace: 'team', pullSecrets: [], serviceAccount: undefined, ...owner };
}

async function keyringOf(
  { pullSecrets }: Cluster,
  owner: Partial<PullSecretsOwner>,
): Promise<PodKeyring> {
  const keyring = await pullSecrets.keyringOf(ownerOf(owner), NEVER);
  if (keyring instanceof PinError) throw keyring;
  return keyring;
}

function users(keyring: PodKeyring): string[] {
  return keyring.accessTo(IMAGE).own.map(({ credential }) => credential.username);
}

function codes(keyring: PodKeyring): string[] {
  return keyring.problems.map(({ code, message }) => `${code}: ${message}`);
}

/** So many of one registry, by paths that all lead to the image. */
function credentials(count: number): Record<string, [string, string]> {
  const prefixes = ['', '/t', '/te', '/tea', '/team', '/team/', '/team/a', '/team/ap', '/team/app'];
  const versions = Array.from({ length: count }, (_, n) => `${prefixes[n % 9]}#${n}`);
  return Object.fromEntries(versions.map((path) => [`registry.example.com${path}`, ['u', 'x']]));
}

describe('createPullSecrets()', () => {
  it('reads nothing for an owner without secrets, and answers at once', () => {
    const cluster = new Cluster();
    const keyring = cluster.pullSecrets.keyringOf(ownerOf({}), NEVER);
    expect(keyring).not.toBeInstanceOf(Promise);
    expect((keyring as PodKeyring).accessTo(IMAGE)).toEqual({
      own: [],
      lent: [],
      fingerprint: 'anonymous',
    });
    expect(cluster.reads).toEqual([]);
  });

  it('keeps the order of the secrets', async () => {
    const cluster = new Cluster();
    cluster.secrets.set('team/one', pullSecret('one', { 'registry.example.com': ['one', 'x'] }));
    cluster.secrets.set('team/two', pullSecret('two', { 'registry.example.com': ['two', 'x'] }));
    expect(users(await keyringOf(cluster, { pullSecrets: ['one', 'two'] }))).toEqual([
      'one',
      'two',
    ]);
    expect(users(await keyringOf(cluster, { pullSecrets: ['two', 'one'] }))).toEqual([
      'two',
      'one',
    ]);
  });

  it('uses the ServiceAccount of an owner without secrets of its own', async () => {
    const cluster = new Cluster();
    cluster.accounts.set('team/builder', ['lent']);
    cluster.secrets.set('team/lent', pullSecret('lent', { 'registry.example.com': ['lent', 'x'] }));
    cluster.secrets.set('team/own', pullSecret('own', { 'registry.example.com': ['own', 'x'] }));
    expect(users(await keyringOf(cluster, { serviceAccount: 'builder' }))).toEqual(['lent']);
    expect(cluster.reads).toEqual(['account team/builder', 'secret team/lent']);
    cluster.reads.length = 0;
    const owner = { pullSecrets: ['own'], serviceAccount: 'builder' };
    expect(users(await keyringOf(cluster, owner))).toEqual(['own']);
    expect(cluster.reads).toEqual(['secret team/own']);
  });

  it('reads in the namespace of the owner alone', async () => {
    const cluster = new Cluster();
    for (const namespace of ['team', 'other']) {
      cluster.accounts.set(`${namespace}/default`, ['regcred']);
      const auths: Record<string, [string, string]> = { 'registry.example.com': [namespace, 'x'] };
      cluster.secrets.set(`${namespace}/regcred`, pullSecret('regcred', auths));
    }
    for (const namespace of ['team', 'other']) {
      const bySecret = await keyringOf(cluster, { namespace, pullSecrets: ['regcred'] });
      const byAccount = await keyringOf(cluster, { namespace, serviceAccount: 'default' });
      expect(users(bySecret)).toEqual([namespace]);
      expect(users(byAccount)).toEqual([namespace]);
    }
  });

  it('gives images of one credential one fingerprint, and others another', async () => {
    const cluster = new Cluster();
    cluster.secrets.set('team/one', pullSecret('one', { 'registry.example.com': ['one', 'x'] }));
    const { accessTo } = await keyringOf(cluster, { pullSecrets: ['one'] });
    const fingerprint = (image: string): string => accessTo(parseReference(image)).fingerprint;
    expect(fingerprint('registry.example.com/a')).toBe(fingerprint('registry.example.com/b:1'));
    expect(fingerprint('registry.example.com/a')).not.toBe('anonymous');
    // connaisseur#2166: a host is compared by its labels, not by its first letters.
    expect(fingerprint('registry.example.com.evil.io/a')).toBe('anonymous');
  });

  it('remembers for a minute, and answers at once in that time', async () => {
    const cluster = new Cluster();
    const owner = ownerOf({ pullSecrets: ['one'] });
    cluster.secrets.set('team/one', pullSecret('one', { 'registry.example.com': ['old', 'x'] }));
    await keyringOf(cluster, owner);
    cluster.secrets.set('team/one', pullSecret('one', { 'registry.example.com': ['new', 'x'] }));
    cluster.nowMs += MINUTE_MS;
    const known = cluster.pullSecrets.keyringOf(owner, NEVER);
    expect(known).not.toBeInstanceOf(Promise);
    expect(users(known as PodKeyring)).toEqual(['old']);
    cluster.nowMs += 1;
    expect(users(await keyringOf(cluster, owner))).toEqual(['new']);
    expect(cluster.reads).toHaveLength(2);
  });

  it('reads again when it is told to', async () => {
    const cluster = new Cluster();
    const owner = ownerOf({ pullSecrets: ['one'] });
    cluster.secrets.set('team/one', pullSecret('one', { 'registry.example.com': ['old', 'x'] }));
    await keyringOf(cluster, owner);
    cluster.secrets.set('team/one', pullSecret('one', { 'registry.example.com': ['new', 'x'] }));
    expect(users((await cluster.pullSecrets.reread(owner, NEVER)) as PodKeyring)).toEqual(['new']);
    expect(users(await keyringOf(cluster, owner))).toEqual(['new']);
    expect(cluster.reads).toHaveLength(2);
  });

  it('shares one reading among all who wait for it', async () => {
    const cluster = new Cluster();
    cluster.accounts.set('team/default', ['one']);
    cluster.secrets.set('team/one', pullSecret('one', { 'registry.example.com': ['one', 'x'] }));
    const all = await Promise.all(
      Array.from({ length: 50 }, () => keyringOf(cluster, { serviceAccount: 'default' })),
    );
    expect(new Set(all).size).toBe(1);
    expect(cluster.reads).toEqual(['account team/default', 'secret team/one']);
  });

  it('uses the secrets that are there, names those that are not, and remembers neither', async () => {
    const cluster = new Cluster();
    const owner = { pullSecrets: ['gone', 'one', 'gone-too'] };
    cluster.secrets.set('team/one', pullSecret('one', { 'registry.example.com': ['one', 'x'] }));
    const keyring = await keyringOf(cluster, owner);
    expect(users(keyring)).toEqual(['one']);
    expect(codes(keyring)).toEqual([
      'missing_secret: pull secret "team/gone" does not exist',
      'missing_secret: pull secret "team/gone-too" does not exist',
    ]);
    cluster.secrets.set('team/gone', pullSecret('gone', { 'registry.example.com': ['gone', 'x'] }));
    expect(users(await keyringOf(cluster, owner))).toEqual(['gone', 'one']);
  });

  it('tells each secret that cannot be read by its own reason', async () => {
    const cluster = new Cluster();
    cluster.secrets.set('team/forbidden', new PinError('forbidden_secret', 'may not read'));
    cluster.secrets.set('team/silent', new PinError('secret_unreadable', 'did not answer'));
    cluster.secrets.set('team/one', pullSecret('one', {}));
    const pullSecrets = ['silent', 'gone', 'forbidden', 'one'];
    expect(codes(await keyringOf(cluster, { pullSecrets }))).toEqual([
      'secret_unreadable: did not answer',
      'missing_secret: pull secret "team/gone" does not exist',
      'forbidden_secret: may not read',
    ]);
    expect(cluster.observed.toSorted()).toEqual([
      'secret forbidden_secret',
      'secret found',
      'secret missing_secret',
      'secret secret_unreadable',
    ]);
  });

  it('does not remember that a ServiceAccount is missing', async () => {
    const cluster = new Cluster();
    const keyring = await keyringOf(cluster, { serviceAccount: 'later' });
    expect(users(keyring)).toEqual([]);
    expect(codes(keyring)).toEqual(['missing_secret: ServiceAccount "team/later" does not exist']);
    cluster.accounts.set('team/later', ['one']);
    cluster.secrets.set('team/one', pullSecret('one', { 'registry.example.com': ['one', 'x'] }));
    expect(users(await keyringOf(cluster, { serviceAccount: 'later' }))).toEqual(['one']);
    expect(cluster.observed).toEqual([
      'service_account missing_secret',
      'service_account found',
      'secret found',
    ]);
  });

  it('remembers that a ServiceAccount lends no secrets', async () => {
    const cluster = new Cluster();
    cluster.accounts.set('team/default', []);
    expect(codes(await keyringOf(cluster, { serviceAccount: 'default' }))).toEqual([]);
    await keyringOf(cluster, { serviceAccount: 'default' });
    expect(cluster.reads).toHaveLength(1);
  });

  it('names a ServiceAccount that may not be read', async () => {
    const cluster = new Cluster();
    cluster.accounts.set('team/default', new PinError('forbidden_secret', 'may not read'));
    const keyring = await keyringOf(cluster, { serviceAccount: 'default' });
    expect(codes(keyring)).toEqual(['forbidden_secret: may not read']);
    expect(cluster.observed).toEqual(['service_account forbidden_secret']);
  });

  it('uses no secret at all where one is malformed, as kubelet does, and tells none of it', async () => {
    const cluster = new Cluster();
    const owner = ownerOf({ pullSecrets: ['one', 'broken'] });
    cluster.secrets.set('team/one', pullSecret('one', { 'registry.example.com': ['one', 'x'] }));
    cluster.secrets.set('team/broken', {
      type: 'kubernetes.io/dockerconfigjson',
      data: { '.dockerconfigjson': btoa('{"auths":{"registry.example.com":{"auth":"canary') },
      metadata: { name: 'broken' },
    });
    const answer = await cluster.pullSecrets.keyringOf(owner, NEVER);
    expect(answer).toMatchObject({
      code: 'invalid_secret',
      message: 'Cannot read pull secret "broken": it is not JSON',
    });
    cluster.secrets.set('team/broken', pullSecret('broken', {}));
    expect(users(await keyringOf(cluster, owner))).toEqual(['one']);
  });

  it('keeps apart names that no validation has seen', async () => {
    const cluster = new Cluster();
    cluster.secrets.set('team/a', pullSecret('a', { 'registry.example.com': ['a', 'x'] }));
    cluster.secrets.set('team/b', pullSecret('b', { 'registry.example.com': ['b', 'x'] }));
    const [odd, even] = await Promise.all([
      keyringOf(cluster, { pullSecrets: ['a b'] }),
      keyringOf(cluster, { pullSecrets: ['a', 'b'] }),
    ]);
    expect(users(odd)).toEqual([]);
    expect(users(even)).toEqual(['a', 'b']);
  });

  it('reads none of more than a hundred secrets, though a ServiceAccount lends them', async () => {
    const cluster = new Cluster();
    const names = Array.from({ length: 100 }, (_, n) => `secret-${n}`);
    cluster.accounts.set('team/some', names);
    cluster.accounts.set('team/greedy', [...names, 'one-more']);
    expect((await keyringOf(cluster, { serviceAccount: 'some' })).problems).toHaveLength(100);
    cluster.reads.length = 0;
    const answer = await cluster.pullSecrets.keyringOf(
      ownerOf({ serviceAccount: 'greedy' }),
      NEVER,
    );
    expect(answer).toMatchObject({
      code: 'too_many_secrets',
      message: 'The pull secrets that are named in "team" are 101, of which at most 100 are read',
    });
    expect(cluster.reads).toEqual(['account team/greedy']);
  });

  it('stops reading where the secrets hold more than 256 KiB together', async () => {
    const cluster = new Cluster();
    const pullSecrets = Array.from({ length: 20 }, (_, n) => `large-${n}`);
    const password = 'x'.repeat(90 * 1024);
    for (const name of pullSecrets)
      cluster.secrets.set(
        `team/${name}`,
        pullSecret(name, { 'registry.example.com': [name, password] }),
      );
    const two = pullSecrets.slice(0, 2);
    expect(users(await keyringOf(cluster, { pullSecrets: two }))).toEqual(two);
    cluster.reads.length = 0;
    expect(await cluster.pullSecrets.keyringOf(ownerOf({ pullSecrets }), NEVER)).toMatchObject({
      code: 'too_many_secrets',
      message: 'The pull secrets that are named in "team" hold more than 256 KiB together',
    });
    expect(cluster.reads.length).toBeLessThan(8);
  });

  it.each([
    [1000, 1000],
    [
      1001,
      'The pull secrets that are named in "team" have 1001 entries, of which at most 1000 are read',
    ],
  ])('answers %i credentials with %p', async (count, expected) => {
    const cluster = new Cluster();
    cluster.secrets.set('team/many', pullSecret('many', credentials(count)));
    const answer = await cluster.pullSecrets.keyringOf(ownerOf({ pullSecrets: ['many'] }), NEVER);
    expect(answer instanceof PinError ? answer.message : users(answer).length).toBe(expected);
  });

  it('forgets the keyring that was least used, where they are large', async () => {
    const cluster = new Cluster();
    cluster.secrets.set('team/many', pullSecret('many', credentials(500)));
    cluster.secrets.set('team/one', pullSecret('one', {}));
    // The same secret by another list each time, as anybody may name it.
    const lists = Array.from({ length: 60 }, (_, n) => ['many', ...Array<string>(n).fill('one')]);
    for (const pullSecrets of lists) await keyringOf(cluster, { pullSecrets });
    cluster.reads.length = 0;
    await keyringOf(cluster, { pullSecrets: lists.at(-1) ?? [] });
    expect(cluster.reads).toEqual([]);
    await keyringOf(cluster, { pullSecrets: lists[0] ?? [] });
    expect(cluster.reads).toEqual(['secret team/many']);
  });
});

describe('createPullSecrets() with a reader that takes its time', () => {
  it('reads two keyrings of a namespace at a time, and those of another at once', async () => {
    const cluster = new Cluster();
    const { promise: hold, resolve: release } = Promise.withResolvers<void>();
    cluster.hold = hold;
    const lists = Array.from({ length: 5 }, (_, n) => [`name-${n}`]);
    const greedy = lists.map((pullSecrets) => keyringOf(cluster, { pullSecrets }));
    const other = keyringOf(cluster, { namespace: 'other', pullSecrets: ['regcred'] });
    await until(() => cluster.reads.length > 0);
    expect(cluster.reads).toEqual([
      'secret team/name-0',
      'secret team/name-1',
      'secret other/regcred',
    ]);
    release();
    await Promise.all([...greedy, other]);
    expect(cluster.reads).toHaveLength(lists.length + 1);
  });

  it('does not begin what nobody waits for any more, and begins it for whoever comes later', async () => {
    const cluster = new Cluster();
    const { promise: hold, resolve: release } = Promise.withResolvers<void>();
    cluster.hold = hold;
    const busy = ['a', 'b'].map((name) => keyringOf(cluster, { pullSecrets: [name] }));
    const [gone, joined, late] = ['gone', 'joined', 'late'].map((name) =>
      ownerOf({ pullSecrets: [name] }),
    ) as [PullSecretsOwner, PullSecretsOwner, PullSecretsOwner];
    const { pullSecrets } = cluster;
    const soon = cluster.nowMs + 1000;
    const ended = [gone, joined, late].map((owner) => pullSecrets.keyringOf(owner, soon));
    void pullSecrets.keyringOf(joined, soon + 1000);
    cluster.nowMs = soon;
    const again = pullSecrets.keyringOf(late, soon + 1000);
    release();
    await Promise.all(busy);
    expect(await ended[0]).toMatchObject({ code: 'secret_unreadable' });
    expect(await ended[2]).toMatchObject({ code: 'secret_unreadable' });
    expect(await ended[1]).not.toBeInstanceOf(PinError);
    expect(await again).not.toBeInstanceOf(PinError);
    expect(cluster.reads.slice(2).toSorted()).toEqual(['secret team/joined', 'secret team/late']);
  });
});
