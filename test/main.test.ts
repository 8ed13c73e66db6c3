import { once } from 'node:events';
import { chmod, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { connect } from 'node:tls';

import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';

import { digest } from './support/admission.ts';
import { type Answered, call } from './support/call.ts';
import { type Authority, createAuthority, type KeyPair } from './support/certificate.ts';
import { pullSecret } from './support/cluster.ts';
import { type LogLine, type RunningTagpin, runTagpin, startTagpin } from './support/process.ts';
import { startProxy } from './support/proxy.ts';
import { DEPLOYMENT, objectOf, POD, reviewBody, specOf } from './support/review.ts';
import { type Rule, type ScriptedRegistry, startRegistry } from './support/scripted-registry.ts';

const FOUND: Rule = { headers: { 'docker-content-digest': digest('a') } };
const PASSWORD = 'canary-password';

let directory: string;
let authority: Authority;
let pair: KeyPair;

beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'tagpin-main-'));
  authority = await createAuthority();
  pair = await authority.issue(['127.0.0.1']);
  await writeFile(join(directory, 'tls.crt'), pair.cert);
  await writeFile(join(directory, 'tls.key'), pair.key);
});
afterAll(() => rm(directory, { recursive: true }));

/** The flags for a registry of a test; certificates come from `directory`, or from elsewhere. */
function flags({ host }: ScriptedRegistry, certificates: string = directory): string[] {
  return [
    `--tls-cert=${join(certificates, 'tls.crt')}`,
    `--tls-key=${join(certificates, 'tls.key')}`,
    `--plain-http=${host}`,
    '--allow-address=127.0.0.0/8',
  ];
}

function podReview(images: Record<string, unknown>, more = {}): string {
  return JSON.stringify(reviewBody(POD, { object: objectOf(POD, { spec: specOf(images) }), more }));
}

function post(tagpin: RunningTagpin, body: string | Buffer, mode = 'pin'): Promise<Answered> {
  const path = `/admission/${mode}?timeout=10s`;
  return call(tagpin.webhookPort, authority.certificate, { path, body });
}

/** The patch of an answer, and what stands beside it. */
function read({ text }: Answered): {
  readonly allowed: boolean;
  readonly warnings: readonly string[];
  readonly patch: string;
} {
  const { response } = JSON.parse(text);
  const { allowed, warnings = [], patch = '' } = response;
  return { allowed, warnings, patch: Buffer.from(patch, 'base64').toString() };
}

async function becomes(holds: () => Promise<boolean>): Promise<void> {
  // oxlint-disable-next-line no-await-in-loop -- one look after the other
  while (!(await holds()));
}

function kubeconfigFor(origin: string): string {
  const ca = btoa(authority.certificate);
  return JSON.stringify({
    apiVersion: 'v1',
    kind: 'Config',
    clusters: [{ name: 'c', cluster: { server: origin, 'certificate-authority-data': ca } }],
    users: [{ name: 'u', user: { token: 'canary-token' } }],
    contexts: [{ name: 'x', context: { cluster: 'c', user: 'u' } }],
    'current-context': 'x',
  });
}

describe('tagpin', () => {
  it('describes itself', async () => {
    const [help, version] = await Promise.all([runTagpin(['--help']), runTagpin(['--version'])]);
    expect(help).toMatchObject({ code: 0, stderr: '' });
    expect(help.stdout).toContain('Usage: tagpin');
    expect(help.stdout).toContain('serve');
    expect(version).toMatchObject({ code: 0, stdout: expect.stringMatching(/^\d+\.\d+\.\d+\n$/) });
  });

  it('describes every flag of serve, with its variable', async () => {
    const { code, stdout } = await runTagpin(['serve', '--help']);
    expect(code).toBe(0);
    for (const text of [
      '--listen <HOST:PORT>',
      '--operations-listen <HOST:PORT>',
      '--tls-cert <FILE>',
      '--tls-key <FILE>',
      '--kubeconfig <FILE>',
      '--no-cluster',
      '--plain-http <HOST[:PORT],…>',
      '--allow-address <CIDR,…>',
      '--allow-registry <HOST[:PORT],…>',
      '--cache-ttl <DURATION>',
      '--reference-form <FORM>',
      '--skip <GLOBS>',
      'TAGPIN_CACHE_TTL',
    ]) {
      expect(stdout).toContain(text);
    }
  });

  it('ends with 2 over a mistake in the command line, and says which', async () => {
    const mistakes: readonly (readonly [readonly string[], string])[] = [
      [['serve', '--bogus'], "unknown option '--bogus'"],
      [['bogus'], "unknown command 'bogus'"],
      [['serve', 'bogus'], 'too many arguments'],
      [['serve', '--listen'], 'argument missing'],
      [[], 'Usage: tagpin'],
    ];
    const ends = await Promise.all(mistakes.map(([args]) => runTagpin(args)));
    expect(ends.map(({ code }) => code)).toEqual([2, 2, 2, 2, 2]);
    expect(ends.map(({ stderr }) => stderr)).toEqual(
      mistakes.map(([, told]) => expect.stringContaining(told)),
    );
  });

  it('names every bad setting at once, wherever it came from, and ends with 2', async () => {
    const args = ['serve', '--cache-ttl=soon', '--allow-address=10.0.0.0/99', '--listen=here'];
    const { code, stderr } = await runTagpin(args, { TAGPIN_REFERENCE_FORM: 'short' });
    expect(code).toBe(2);
    for (const name of ['--cache-ttl', '--allow-address', '--listen', 'TAGPIN_REFERENCE_FORM']) {
      expect(stderr).toContain(name);
    }
    expect(stderr.trim().split('\n')).toHaveLength(1);
  });

  it('ends with 2 over files and kinds that cannot be used', async () => {
    const mistakes: readonly (readonly [readonly string[], string])[] = [
      [['--hosts-dir=/nowhere'], 'Cannot use --hosts-dir: /nowhere does not exist'],
      [['--registries-conf=/nowhere'], 'Cannot use /nowhere'],
      [['--registry-ca=r.io=/nowhere'], 'Cannot read /nowhere'],
      [['--hosts-dir=/tmp', '--registries-conf=/nowhere'], 'a node has one of them'],
      [['--extra-kind=Rollout'], 'Cannot read --extra-kind: expected GROUP/KIND=PATH'],
    ];
    const ends = await Promise.all(mistakes.map(([args]) => runTagpin(['serve', ...args])));
    expect(ends.map(({ code }) => code)).toEqual(mistakes.map(() => 2));
    expect(ends.map(({ stderr }) => stderr)).toEqual(
      mistakes.map(([, told]) => expect.stringContaining(told)),
    );
  });

  it('ends with 2 where its port is taken', async () => {
    const taken = createServer();
    await new Promise<void>((resolve) => {
      taken.listen(0, '127.0.0.1', resolve);
    });
    const address = taken.address();
    const port = typeof address === 'object' ? address?.port : undefined;
    const args = ['--operations-listen=127.0.0.1:0', `--listen=127.0.0.1:${port}`, '--no-cluster'];
    const { code, stderr } = await runTagpin(['serve', ...args]);
    taken.close();
    expect(code).toBe(2);
    expect(stderr).toContain(`Cannot listen on 127.0.0.1:${port}`);
    expect(stderr).toContain('EADDRINUSE');
  });

  it('ends with 2 over a proxy or a list of registries that cannot be used, without a secret', async () => {
    const args = [
      'serve',
      '--no-cluster',
      '--listen=127.0.0.1:0',
      '--operations-listen=127.0.0.1:0',
    ];
    const missing = join(directory, 'no-such-list');
    const [proxy, list] = await Promise.all([
      runTagpin(args, { HTTPS_PROXY: `socks5://alice:${PASSWORD}@proxy:1080` }),
      runTagpin([...args, `--allow-registry-file=${missing}`]),
    ]);
    expect(proxy).toMatchObject({ code: 2, stderr: expect.stringContaining('HTTPS_PROXY') });
    expect(proxy.stderr).not.toContain(PASSWORD);
    expect(list).toMatchObject({ code: 2, stderr: expect.stringContaining(missing) });
  });

  it('ends with 2 where there is no cluster, and says how to do without', async () => {
    const args = ['serve', '--operations-listen=127.0.0.1:0', '--listen=127.0.0.1:0'];
    const { code, stderr } = await runTagpin(args);
    expect(code).toBe(2);
    expect(stderr).toContain('--no-cluster');
  });
});

describe('tagpin serve', () => {
  it('waits for its certificate, serves, and drains with a call under way', async () => {
    const release = Promise.withResolvers<void>();
    await using registry = await startRegistry([
      { ...FOUND, when: { path: '/v2/slow/manifests/1' }, hold: release.promise },
      FOUND,
    ]);
    const certificates = await mkdtemp(join(directory, 'late-'));
    const args = ['--no-cluster', '--drain-time=1s', ...flags(registry, certificates)];
    await using tagpin = await startTagpin(args);
    expect(await tagpin.operations('/healthz')).toEqual([200, 'ok\n']);
    expect(await tagpin.operations('/readyz')).toEqual([
      503,
      expect.stringContaining('no certificate is loaded'),
    ]);
    await expect(post(tagpin, podReview({ web: 'nginx' }))).rejects.toThrow('SSL');
    await writeFile(join(certificates, 'tls.crt'), pair.cert);
    await writeFile(join(certificates, 'tls.key'), pair.key);
    await becomes(async () => (await tagpin.operations('/readyz'))[0] === 200);

    const warm = podReview({ web: `${registry.host}/quick:1` });
    expect(read(await post(tagpin, warm)).patch).toContain(`${registry.host}/quick@${digest('a')}`);
    const underWay = post(tagpin, podReview({ web: `${registry.host}/slow:1` }));
    await registry.received(2);
    const to = { port: tagpin.webhookPort, host: '127.0.0.1', ca: authority.certificate };
    const unused = connect(to).on('error', () => {});
    await once(unused, 'secureConnect');
    tagpin.signal('SIGTERM');
    await becomes(async () => (await tagpin.operations('/readyz'))[0] === 503);
    expect(await tagpin.operations('/healthz')).toEqual([200, 'ok\n']);
    // Until the drain time has passed, calls are served on; each closes its connection.
    const late = await post(tagpin, warm);
    expect(late).toMatchObject({ status: 200, headers: { connection: 'close' } });
    await becomes(() =>
      post(tagpin, warm).then(
        () => false,
        () => true,
      ),
    );
    expect(tagpin.isAlive()).toBe(true);
    release.resolve();
    const answered = await underWay;
    expect(read(answered).patch).toContain(`${registry.host}/slow@${digest('a')}`);
    expect(answered.headers.connection).toBe('close');
    const { code, stdout, stderr } = await tagpin.ended;
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    // What was buffered is written before the end.
    expect(stdout).toContain('"msg":"stopped"');
    // A connection that never had a call is none that is waited for.
    expect(stdout).not.toContain('"msg":"calls cut off"');
    unused.destroy();
  });

  it('asks through the proxy of its environment, and refuses short names where it is told to', async () => {
    await using registry = await startRegistry([FOUND]);
    await using proxy = await startProxy();
    const host = `plain.example.com:${registry.port}`;
    const args = [
      '--no-cluster',
      '--short-names=refuse',
      `--plain-http=${host}`,
      `--tls-cert=${join(directory, 'tls.crt')}`,
      `--tls-key=${join(directory, 'tls.key')}`,
    ];
    const environment = { HTTP_PROXY: `http://alice:${PASSWORD}@${proxy.host}` };
    await using tagpin = await startTagpin(args, environment);
    await tagpin.logged(({ msg }) => msg === 'certificate loaded');
    const { patch, warnings } = read(
      await post(tagpin, podReview({ web: `${host}/a:1`, short: 'nginx:1' })),
    );
    expect(patch).toContain(`${host}/a@${digest('a')}`);
    expect(warnings).toEqual([
      expect.stringMatching(/"short".*docker\.io\/library\/nginx:1.*\[short_name\]$/),
    ]);
    expect(proxy.tunnels.map(({ target }) => target)).toEqual([host]);
    expect(tagpin.output()).not.toContain(PASSWORD);
    expect((await tagpin.operations('/metrics'))[1]).not.toContain(PASSWORD);
  });

  it('uses the pull secrets of the cluster, and tells a credential to nobody else', async () => {
    const authorization = `Basic ${btoa(`alice:${PASSWORD}`)}`;
    await using registry = await startRegistry([
      { ...FOUND, when: { path: '/v2/team/app/manifests/1', headers: { authorization } } },
      { when: { headers: { authorization } }, status: 403 },
      { status: 401, headers: { 'www-authenticate': 'Basic realm="r"' } },
    ]);
    const secret = pullSecret('regcred', { [registry.host]: ['alice', PASSWORD] });
    const account = { metadata: { name: 'default' }, imagePullSecrets: [{ name: 'regcred' }] };
    const inJson = { 'content-type': 'application/json' };
    const api = '/api/v1/namespaces/shop';
    await using cluster = await startRegistry(
      [
        { when: { path: `${api}/secrets/regcred` }, headers: inJson, body: JSON.stringify(secret) },
        {
          when: { path: `${api}/serviceaccounts/default` },
          headers: inJson,
          body: JSON.stringify(account),
        },
      ],
      pair,
    );
    const kubeconfig = join(directory, 'kubeconfig');
    await writeFile(kubeconfig, kubeconfigFor(cluster.origin));
    await using tagpin = await startTagpin([
      `--kubeconfig=${kubeconfig}`,
      '--drain-time=0s',
      ...flags(registry),
    ]);
    await becomes(async () => (await tagpin.operations('/readyz'))[0] === 200);

    const spec = specOf({ web: `${registry.host}/team/app:1` });
    const object = objectOf(DEPLOYMENT, { spec });
    const byAccount = await post(tagpin, JSON.stringify(reviewBody(DEPLOYMENT, { object })));
    expect(read(byAccount).patch).toContain(`${registry.host}/team/app@${digest('a')}`);
    const forbidden = { ...spec, imagePullSecrets: [{ name: 'regcred' }] };
    const pod = objectOf(POD, {
      spec: { ...forbidden, ...specOf({ web: `${registry.host}/team/other:1` }) },
    });
    const uid = 'uid-of-the-denied';
    const denied = await post(
      tagpin,
      JSON.stringify(reviewBody(POD, { object: pod, more: { uid } })),
      'enforce',
    );
    expect(JSON.parse(denied.text).response).toMatchObject({ uid, allowed: false });

    const line = await tagpin.logged((logged) => logged['uid'] === uid);
    expect(line).toMatchObject({
      msg: 'review',
      namespace: 'shop',
      kind: 'Pod',
      name: 'web',
      operation: 'CREATE',
      mode: 'enforce',
      outcome: 'denied',
      ms: expect.any(Number),
      images: [
        {
          container: 'web',
          outcome: 'failed',
          reason: 'unauthorized',
          registry: registry.host,
          ms: expect.any(Number),
        },
      ],
    });
    const [, metrics] = await tagpin.operations('/metrics');
    tagpin.signal('SIGTERM');
    const { code, stdout, stderr } = await tagpin.ended;
    expect(code).toBe(0);
    for (const text of [metrics, stdout, stderr, byAccount.text, denied.text]) {
      for (const canary of [PASSWORD, btoa(`alice:${PASSWORD}`), 'canary-token']) {
        expect(text).not.toContain(canary);
      }
    }
  });
});

describe('tagpin serve with input that no API server sends', () => {
  let registry: ScriptedRegistry;
  let tagpin: RunningTagpin;

  beforeAll(async () => {
    registry = await startRegistry([FOUND]);
    tagpin = await startTagpin(['--no-cluster', ...flags(registry)]);
    await becomes(async () => (await tagpin.operations('/readyz'))[0] === 200);
  });
  afterAll(async () => {
    await tagpin[Symbol.asyncDispose]();
    await registry[Symbol.asyncDispose]();
  });

  async function expectAlive(): Promise<void> {
    const answer = read(await post(tagpin, podReview({ web: `${registry.host}/app:1` })));
    expect(answer.patch).toContain(`${registry.host}/app@${digest('a')}`);
    expect(tagpin.isAlive()).toBe(true);
  }

  it.each<[string, () => string | Buffer, number]>([
    ['no JSON', () => '{', 400],
    ['a body of 8 MiB', () => Buffer.alloc(8 * 1024 * 1024, ' '), 413],
    ['a review without object', () => podReview({}).replace('"object"', '"other"'), 400],
    ['a review as deep as the body is long', () => '['.repeat(1_000_000), 400],
    ['a body that is no UTF-8', () => Buffer.from([0x22, 0xff, 0xfe, 0x22]), 400],
  ])('answers %s with an error, and lives on', async (_what, body, status) => {
    expect((await post(tagpin, body())).status).toBe(status);
    await expectAlive();
  });

  it('answers a wrong content type with an error, and lives on', async () => {
    const answer = await call(tagpin.webhookPort, authority.certificate, {
      body: podReview({}),
      headers: { 'content-type': 'text/plain' },
    });
    expect(answer.status).toBe(415);
    await expectAlive();
  });

  it.each<[string, unknown, string]>([
    ['1 MB long', `${'a'.repeat(1_000_000)}:1`, 'invalid_reference'],
    ['with a NUL', 'nginx\0:1', 'invalid_reference'],
    ['with an emoji', 'nginx🦭:1', 'invalid_reference'],
    ['with half an emoji', 'nginx\ud83e:1', 'invalid_reference'],
    ['that is an address in disguise', '2130706433:5000/a', 'blocked_address'],
    ['of the metadata service', '169.254.169.254/latest/meta-data:1', 'blocked_address'],
  ])('admits an image %s, with a warning that says why', async (_what, image, code) => {
    const answer = await post(tagpin, podReview({ web: image }));
    expect(answer.status).toBe(200);
    const { allowed, warnings, patch } = read(answer);
    expect(allowed).toBe(true);
    expect(warnings).toHaveLength(1);
    expect(warnings[0]?.length).toBeLessThanOrEqual(256);
    expect(patch).toContain(code);
    await expectAlive();
  });

  it.each<[string, unknown]>([
    ['a number', 42],
    ['null', null],
    ['an object', { toString: 'x' }],
  ])('admits an image that is %s as it is', async (_what, image) => {
    expect(read(await post(tagpin, podReview({ web: image })))).toMatchObject({ allowed: true });
    await expectAlive();
  });

  it('admits 2,000 containers, of which the first hundred are looked up', async () => {
    const names = Array.from({ length: 2000 }, (_, n) => `c${n}`);
    const images = Object.fromEntries(names.map((name) => [name, `${registry.host}/many:${name}`]));
    const before = registry.requests.length;
    const { allowed, patch } = read(await post(tagpin, podReview(images)));
    expect(allowed).toBe(true);
    expect(patch.split(`@${digest('a')}`)).toHaveLength(100 + 1);
    expect(registry.requests.length - before).toBe(100);
    await expectAlive();
  });

  it('takes "__proto__" and its like for the names that they are', async () => {
    const image = `${registry.host}/app:1`;
    const names = ['__proto__', 'constructor', 'toString', 'hasOwnProperty'];
    const containers = names.map((name) => ({ name, image }));
    const body = podReview({}, { object: { metadata: { name: 'web' }, spec: { containers } } });
    const { patch } = read(await post(tagpin, body));
    for (const name of names) expect(patch).toContain(`\\"${name}\\":`);
    expect(patch).toContain('/spec/containers/3/image');
    const polluted = body.replace('"metadata":{', '"metadata":{"__proto__":{"annotations":{}},');
    expect((await post(tagpin, polluted)).status).toBe(200);
    await expectAlive();
  });

  it('tells in its metrics what came, and no name of it', async () => {
    const [status, text] = await tagpin.operations('/metrics');
    expect(status).toBe(200);
    expect(text).toMatch(/^tagpin_admission_refused_total\{reason="review_too_large"\} 1$/m);
    expect(text).toMatch(/^tagpin_images_total\{outcome="failed",reason="too_many_images"/m);
    for (const name of ['c1999', '2130706433', 'hasOwnProperty', 'shop']) {
      expect(text).not.toContain(name);
    }
  });

  it('wrote one line a review, and not one of an error', async () => {
    await post(tagpin, podReview({ web: `${registry.host}/app:1` }, { uid: 'the-last' }));
    await tagpin.logged((line: LogLine) => line['uid'] === 'the-last');
    expect(tagpin.output()).not.toContain('"level":50');
    expect(tagpin.output().match(/"uid":"the-last"/g)).toHaveLength(1);
  });
});

describe('A failure of a command', () => {
  it('shows nothing of a kubeconfig that cannot be read', async () => {
    const file = join(directory, 'broken-kubeconfig');
    await writeFile(file, `users:\n  - user: {token: "${PASSWORD}\n`);
    const { code, stderr } = await runTagpin(['audit', `--kubeconfig=${file}`]);
    expect(code).toBe(2);
    expect(stderr).toContain(`Cannot reach an API server with ${file}`);
    expect(stderr).not.toContain(PASSWORD);
  });

  it('moves no cursor, whatever a program has said that was asked', async () => {
    const file = join(directory, 'kubeconfig-with-program');
    const command = join(directory, 'says-too-much');
    await writeFile(command, '#!/bin/sh\nprintf "log in\\nagain \\033[2J" >&2\nexit 1\n');
    await chmod(command, 0o700);
    const exec = { apiVersion: 'client.authentication.k8s.io/v1', command };
    const names = { cluster: 'c', user: 'u' };
    const kubeconfig = {
      clusters: [{ name: 'c', cluster: { server: 'https://127.0.0.1:1' } }],
      users: [{ name: 'u', user: { exec } }],
      contexts: [{ name: 'x', context: names }],
      'current-context': 'x',
    };
    await writeFile(file, JSON.stringify(kubeconfig));
    const { code, stderr } = await runTagpin(['audit', `--kubeconfig=${file}`]);
    expect(code).toBe(1);
    expect(stderr).toMatch(/log in\nagain \\u\{1b\}\[2J\n$/);
  });
});
