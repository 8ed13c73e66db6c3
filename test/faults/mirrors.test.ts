import { describe, expect, it } from '@jest/globals';

import {
  INDEX_DIGEST,
  issues,
  OTHER_DIGEST,
  told,
  unauthorized,
  withAuthorization,
} from '../support/answers.ts';
import { createAuthority } from '../support/certificate.ts';
import { Files } from '../support/files.ts';
import type { Rule } from '../support/scripted-registry.ts';
import { inWorld, type Place, type World } from '../support/world.ts';

/** Longer than a digest is fresh. */
const LATER_MS = 61_000;

/** The directory that containerd looks into for a registry with a port. */
function directoryOf({ host }: Place): string {
  return `${host.replace(':', '_')}_`;
}

function hostsDirectory(world: World): Files {
  const files = world.use(new Files());
  world.set('hostsDir', files.directory);
  return files;
}

/** A registry, and a mirror that its hosts.toml names, and nothing else does. */
async function mirrored(
  world: World,
  fields = '',
): Promise<{ readonly registry: Place; readonly mirror: Place; readonly files: Files }> {
  const registry = await world.place();
  const mirror = await world.place({ isNamed: false });
  const files = hostsDirectory(world);
  files.write(`${directoryOf(registry)}/hosts.toml`, `[host."${mirror.origin}"]\n${fields}`);
  return { registry, mirror, files };
}

/** Answers whoever knows the credential of this place. */
function protect(place: Place): void {
  place.answer(withAuthorization(place.basic), unauthorized('Basic realm="registry"'));
}

/** A registry of registries.conf. */
function conf(world: World, text: string): Files {
  const files = world.use(new Files());
  world.set('registriesConf', files.write('registries.conf', text));
  return files;
}

/** A mirror with tokens for whoever shows a certificate, which tagpin does for one registry's images. */
async function certified(
  world: World,
  hold?: Promise<void>,
): Promise<{ readonly registry: Place; readonly mirror: Place }> {
  const authority = await createAuthority();
  const registry = await world.place();
  const mirror = await world.place({
    names: ['mirror.example.com'],
    clientAuthority: authority.certificate,
    isCertificateOptional: true,
  });
  const files = hostsDirectory(world);
  const { cert, key } = await authority.issue(['tagpin']);
  files.write('client.cert', cert);
  files.write('client.key', key);
  files.write(
    `${directoryOf(registry)}/hosts.toml`,
    `[host."${mirror.origin}"]\nclient = [["${files.at('client.cert')}", "${files.at('client.key')}"]]`,
  );
  const isCertified: Rule['when'] = { path: '/token', also: (request) => request.isCertified };
  mirror.answer(
    issues({ token: 'private' }, { when: isCertified, ...(hold && { hold }) }),
    { when: { path: '/token' }, status: 401 },
    withAuthorization('Bearer private'),
    unauthorized('Bearer realm="/token"'),
  );
  return { registry, mirror };
}

const NO_SECRET = { pullSecrets: [] };

describe('a mirror of a hosts.toml', () => {
  it(
    'is asked first, for whose image it is, and the registry is left alone',
    inWorld(async (world) => {
      const { registry, mirror } = await mirrored(world);
      mirror.answer(told());
      expect(await world.resolve(registry.image)).toMatchObject({
        digest: INDEX_DIGEST,
        host: mirror.host,
      });
      expect(mirror.requests).toHaveLength(1);
      expect(mirror.requests[0]).toMatchObject({
        method: 'HEAD',
        path: '/v2/team/app/manifests/1.0',
      });
      expect(mirror.requests[0]?.query.getAll('ns')).toEqual([registry.host]);
      expect(registry.requests).toHaveLength(0);
    }),
  );

  it.each<[string, Rule[]]>([
    ['is down', []],
    ['answers 404', [{ status: 404 }]],
    ['answers 401 and wants a password', [unauthorized('Basic realm="mirror"')]],
    [
      'answers 401 and has a token server',
      [issues({ token: 'anonymous' }), unauthorized('Bearer realm="/token"')],
    ],
    ['answers 403', [{ status: 403 }]],
    ['answers 429', [{ status: 429 }]],
    ['answers 500', [{ status: 500 }]],
    ['answers what is no registry', [{ status: 418 }]],
    ['breaks off', [{ fault: 'reset' }]],
    ['sends no digest and no manifest', [{ body: 'hello' }]],
    [
      'redirects to a metadata service',
      [{ status: 307, headers: { location: 'https://169.254.169.254/' } }],
    ],
  ])(
    'fault 63: that %s → the registry itself, whose credential no mirror sees',
    inWorld(async (world, what: string, rules: Rule[]) => {
      const { registry, mirror } = await mirrored(world);
      mirror.answer(...rules);
      if (what === 'is down') await mirror[Symbol.asyncDispose]();
      protect(registry);
      expect(await world.resolve(registry.image)).toMatchObject({
        digest: INDEX_DIGEST,
        host: registry.host,
      });
      for (const { query } of registry.requests) expect(query.has('ns')).toBe(false);
      for (const { headers } of mirror.requests)
        expect(headers.authorization ?? '').not.toMatch(/^Basic/);
    }),
  );

  it(
    'fault 63: whose certificate nobody vouches for → the registry itself',
    inWorld(async (world) => {
      const registry = await world.place();
      const certificate = await (await createAuthority()).issue(['mirror.example.com']);
      const mirror = await world.place({
        names: ['mirror.example.com'],
        certificate,
        isNamed: false,
      });
      const files = hostsDirectory(world);
      files.write(`${directoryOf(registry)}/hosts.toml`, `[host."${mirror.origin}"]`);
      registry.answer(told());
      mirror.answer(told(OTHER_DIGEST));
      expect(await world.digestOf(registry.image)).toBe(INDEX_DIGEST);
      expect(mirror.requests).toHaveLength(0);
    }),
  );

  it(
    'fault 63: that lacks resolve → is never asked for a tag, not even when the registry fails',
    inWorld(async (world) => {
      const { registry, mirror } = await mirrored(world, 'capabilities = ["pull"]');
      mirror.answer(told());
      registry.answer({ status: 404 });
      expect(await world.digestOf(registry.image)).toBe('not_found');
      expect(mirror.requests).toHaveLength(0);
    }),
  );

  it(
    'has its failure in the message, behind that of the registry',
    inWorld(async (world) => {
      const { registry, mirror } = await mirrored(world);
      mirror.answer({ status: 500 });
      registry.answer({ status: 404 });
      expect(await world.failureOf(registry.image)).toMatchObject({
        code: 'not_found',
        message: expect.stringMatching(
          `^${registry.host} answered 404 .* \\(before: ${mirror.host} answered 500\\)$`,
        ),
      });
    }),
  );

  it(
    'says that nobody may resolve tags, where nobody may',
    inWorld(async (world) => {
      const { registry, mirror, files } = await mirrored(world);
      files.write(
        `${directoryOf(registry)}/hosts.toml`,
        `server = "${mirror.origin}"\ncapabilities = ["pull"]`,
      );
      expect(await world.failureOf(registry.image)).toMatchObject({
        code: 'invalid_config',
        message: `no place is configured that may resolve tags of ${registry.host}`,
      });
      expect([...mirror.requests, ...registry.requests]).toEqual([]);
    }),
  );

  it(
    'is the only one asked where it is the server of _default',
    inWorld(async (world) => {
      const mirror = await world.place({ isNamed: false });
      const files = hostsDirectory(world);
      files.write('_default/hosts.toml', `server = "${mirror.origin}"`);
      mirror.answer({ when: { path: '/v2/team/app/manifests/1.0' }, ...told() }, { status: 404 });
      expect(await world.digestOf('nowhere.invalid:5000/team/app:1.0')).toBe(INDEX_DIGEST);
      expect(await world.digestOf('nowhere.invalid:5000/team/other:1.0')).toBe('not_found');
      expect(mirror.requests[0]?.query.get('ns')).toBe('nowhere.invalid:5000');
    }),
  );

  it(
    'is sent its headers, which nobody else sees: not the registry, not where it redirects to',
    inWorld(async (world) => {
      const { registry, mirror, files } = await mirrored(world);
      const other = await world.place();
      const secret = world.canaries.hatch('header', mirror);
      files.write(
        `${directoryOf(registry)}/hosts.toml`,
        `[host."${mirror.origin}".header]\nX-Secret = "${secret}"\nAuthorization = "Basic ${secret}"`,
      );
      mirror.answer({ status: 307, headers: { location: `${other.origin}/elsewhere` } });
      other.answer({ status: 404 });
      protect(registry);
      expect(await world.digestOf(registry.image)).toBe(INDEX_DIGEST);
      expect(mirror.requests[0]?.headers).toMatchObject({
        'x-secret': secret,
        authorization: `Basic ${secret}`,
      });
      expect(other.requests[0]?.headers).not.toHaveProperty('x-secret');
      expect(other.requests[0]?.headers).not.toHaveProperty('authorization');
    }),
  );

  it(
    'has a path of its own',
    inWorld(async (world) => {
      const { registry, mirror, files } = await mirrored(world);
      files.write(
        `${directoryOf(registry)}/hosts.toml`,
        `[host."${mirror.origin}/proxy/x"]\noverride_path = true`,
      );
      mirror.answer(told());
      expect(await world.digestOf(registry.image)).toBe(INDEX_DIGEST);
      expect(mirror.requests[0]?.path).toBe('/proxy/x/team/app/manifests/1.0');
    }),
  );

  it.each([
    ['shows one', true],
    ['has none', false],
  ])(
    'asks for a certificate, and tagpin %s',
    inWorld(async (world, _what: string, isShown: boolean) => {
      const authority = await createAuthority();
      const registry = await world.place();
      const mirror = await world.place({
        names: ['mirror.example.com'],
        certificate: await authority.issue(['mirror.example.com']),
        clientAuthority: authority.certificate,
        isNamed: false,
      });
      const files = hostsDirectory(world);
      const directory = directoryOf(registry);
      const { cert, key } = await authority.issue(['tagpin']);
      files.write(`${directory}/ca.pem`, authority.certificate);
      files.write(`${directory}/client.cert`, cert);
      files.write(`${directory}/client.key`, key);
      const client = isShown ? 'client = [["client.cert", "client.key"]]' : '';
      files.write(`${directory}/hosts.toml`, `[host."${mirror.origin}"]\nca = "ca.pem"\n${client}`);
      mirror.answer(told());
      registry.answer(told(OTHER_DIGEST));
      expect(await world.digestOf(registry.image)).toBe(isShown ? INDEX_DIGEST : OTHER_DIGEST);
      expect(mirror.requests).toHaveLength(isShown ? 1 : 0);
    }),
  );

  it(
    'gives a token to who shows a certificate, and it serves nobody else',
    inWorld(async (world) => {
      const { registry, mirror } = await certified(world);
      const stranger = await world.place();
      const location = `${mirror.origin}/v2/team/app/manifests/1.0`;
      stranger.answer({ status: 307, headers: { location } });
      expect(await world.digestOf(registry.image, NO_SECRET)).toBe(INDEX_DIGEST);
      expect(mirror.requests.map(({ isCertified }) => isCertified)).toEqual([true, true, true]);
      expect(await world.digestOf(mirror.image, NO_SECRET)).toBe('unauthorized');
      expect(await world.digestOf(stranger.image, NO_SECRET)).toBe('unauthorized');
      const others = mirror.requests.slice(3).map(({ headers }) => headers.authorization);
      expect(others).toEqual([undefined, undefined, undefined, undefined]);
      // And who shows it still has one.
      expect(await world.digestOf(`${registry.host}/team/app:2.0`, NO_SECRET)).toBe(INDEX_DIGEST);
      expect(mirror.requests).toHaveLength(8);
    }),
  );

  it(
    'gives no token to who asks while another, who shows a certificate, waits for one',
    inWorld(async (world) => {
      const held = Promise.withResolvers<void>();
      const { registry, mirror } = await certified(world, held.promise);
      const first = world.digestOf(registry.image, NO_SECRET);
      await mirror.received(2);
      const second = world.digestOf(mirror.image, NO_SECRET);
      await mirror.received(4);
      held.resolve();
      expect(await first).toBe(INDEX_DIGEST);
      expect(await second).toBe('unauthorized');
    }),
  );

  it(
    'may have any certificate with skip_verify',
    inWorld(async (world) => {
      const certificate = await (await createAuthority()).issue(['another.example.com']);
      const registry = await world.place({ names: ['r.example.com'], certificate, isNamed: false });
      const files = hostsDirectory(world);
      files.write(`${directoryOf(registry)}/hosts.toml`, 'skip_verify = true');
      protect(registry);
      expect(await world.digestOf(registry.image)).toBe(INDEX_DIGEST);
    }),
  );

  it(
    'is the registry itself over plain http, where its own file says so: with its credential',
    inWorld(async (world) => {
      const registry = await world.place({ isNamed: false });
      const files = hostsDirectory(world);
      files.write(`${directoryOf(registry)}/hosts.toml`, `server = "${registry.origin}"`);
      protect(registry);
      expect(await world.digestOf(registry.image)).toBe(INDEX_DIGEST);
      expect(registry.requests.at(-1)?.query.has('ns')).toBe(false);
    }),
  );

  it(
    'does not make _default name every host: http and other ports stay closed to tenants',
    inWorld(async (world) => {
      const registry = await world.place({ isNamed: false });
      const files = hostsDirectory(world);
      files.write('_default/hosts.toml', 'skip_verify = true');
      const closed = `closed.example.com:${registry.port}/team/app:1.0`;
      world.names.set('closed.example.com', ['127.0.0.1']);
      expect(await world.digestOf(closed)).toBe('blocked_address');
      expect(registry.requests).toHaveLength(0);
    }),
  );

  it(
    'fault 64: replaced while running → the new one with the next look-up',
    inWorld(async (world) => {
      const { registry, mirror, files } = await mirrored(world);
      const second = await world.place({ isNamed: false });
      mirror.answer(told());
      second.answer(told(OTHER_DIGEST));
      expect(await world.digestOf(registry.image)).toBe(INDEX_DIGEST);
      files.write(`${directoryOf(registry)}/hosts.toml`, `[host."${second.origin}"]`);
      expect(await world.digestOf(registry.image)).toBe(INDEX_DIGEST);
      world.pass(LATER_MS);
      expect(await world.digestOf(registry.image)).toBe(OTHER_DIGEST);
      expect(mirror.requests).toHaveLength(1);
    }),
  );

  it(
    'fault 64: malformed, then mended → the last good version meanwhile, and one warning',
    inWorld(async (world) => {
      const { registry, mirror, files } = await mirrored(world);
      mirror.answer(told());
      expect(await world.digestOf(registry.image)).toBe(INDEX_DIGEST);
      files.write(`${directoryOf(registry)}/hosts.toml`, 'server = ');
      for (let n = 0; n < 3; n += 1) {
        world.pass(LATER_MS);
        // oxlint-disable-next-line no-await-in-loop -- one after the other
        expect(await world.digestOf(registry.image)).toBe(INDEX_DIGEST);
      }
      expect(mirror.requests).toHaveLength(4);
      expect(world.logged).toHaveLength(1);
      expect(world.logged[0]).toMatch(/^warn hosts\.toml not used .*is no TOML/);
      registry.answer(told(OTHER_DIGEST));
      files.write(`${directoryOf(registry)}/hosts.toml`, '');
      world.pass(LATER_MS);
      expect(await world.digestOf(registry.image)).toBe(OTHER_DIGEST);
    }),
  );
});

describe('registries.conf', () => {
  it(
    'sends an image to a mirror under another name, without ns and without the credential',
    inWorld(async (world) => {
      const registry = await world.place();
      const mirror = await world.place({ isNamed: false });
      conf(
        world,
        `[[registry]]\nlocation = "${registry.host}"\n[[registry.mirror]]\nlocation = "${mirror.host}/cache"\ninsecure = true`,
      );
      protect(registry);
      mirror.answer({ status: 401 });
      expect(await world.digestOf(registry.image)).toBe(INDEX_DIGEST);
      expect(mirror.requests[0]?.path).toBe('/v2/cache/team/app/manifests/1.0');
      expect([...(mirror.requests[0]?.query.keys() ?? [])]).toEqual([]);
    }),
  );

  it(
    'does not send the credential of a registry to where its images lie instead',
    inWorld(async (world) => {
      const registry = await world.place();
      const instead = await world.place();
      conf(
        world,
        `[[registry]]\nprefix = "${registry.host}/team"\nlocation = "${instead.host}/crew"`,
      );
      instead.answer(unauthorized('Basic realm="registry"'));
      expect(await world.failureOf(registry.image)).toMatchObject({ code: 'unauthorized' });
      expect(instead.requests.map(({ path }) => path)).toEqual(['/v2/crew/app/manifests/1.0']);
      expect(registry.requests).toHaveLength(0);
    }),
  );

  it(
    'keeps the credential where another path of the same registry is meant',
    inWorld(async (world) => {
      const registry = await world.place();
      conf(
        world,
        `[[registry]]\nprefix = "${registry.host}/team"\nlocation = "${registry.host}/crew"`,
      );
      protect(registry);
      expect(await world.digestOf(registry.image)).toBe(INDEX_DIGEST);
      expect(registry.requests.at(-1)?.path).toBe('/v2/crew/app/manifests/1.0');
    }),
  );

  it(
    'insecure: https with any certificate, whose answer counts; http is not tried then',
    inWorld(async (world) => {
      const certificate = await (await createAuthority()).issue(['another.example.com']);
      const registry = await world.place({ names: ['r.example.com'], certificate, isNamed: false });
      conf(world, `[[registry]]\nlocation = "${registry.host}"\ninsecure = true`);
      registry.answer({ when: { path: '/v2/team/app/manifests/1.0' }, ...told() }, { status: 404 });
      expect(await world.digestOf(registry.image)).toBe(INDEX_DIGEST);
      expect(await world.failureOf(`${registry.host}/team/app:2.0`)).toMatchObject({
        code: 'not_found',
        message: expect.not.stringContaining('before'),
      });
      expect(registry.requests).toHaveLength(2);
    }),
  );

  it(
    'insecure: http where the registry does not speak https',
    inWorld(async (world) => {
      const registry = await world.place({ isNamed: false });
      conf(world, `[[registry]]\nlocation = "${registry.host}"\ninsecure = true`);
      protect(registry);
      expect(await world.digestOf(registry.image)).toBe(INDEX_DIGEST);
    }),
  );

  it(
    'blocks an image, and says which file does',
    inWorld(async (world) => {
      const registry = await world.place();
      const files = conf(world, `[[registry]]\nlocation = "${registry.host}"\nblocked = true`);
      expect(await world.failureOf(registry.image)).toMatchObject({
        code: 'blocked_address',
        message: `${registry.host} is not asked: ${files.at('registries.conf')} blocks "${registry.host}"`,
      });
      expect(registry.requests).toHaveLength(0);
    }),
  );

  it(
    'changes while the program runs',
    inWorld(async (world) => {
      const registry = await world.place();
      const files = conf(world, '');
      registry.answer(told());
      expect(await world.digestOf(registry.image)).toBe(INDEX_DIGEST);
      world.pass(LATER_MS);
      files.write(
        'registries.conf.d/a.conf',
        `[[registry]]\nlocation = "${registry.host}"\nblocked = true`,
      );
      expect(await world.digestOf(registry.image)).toBe('blocked_address');
    }),
  );
});
