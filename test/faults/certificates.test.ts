import { beforeAll, describe, expect, it } from '@jest/globals';

import {
  INDEX_DIGEST,
  issues,
  OTHER_DIGEST,
  told,
  unauthorized,
  withAuthorization,
} from '../support/answers.ts';
import {
  type Authority,
  createAuthority,
  createSelfSigned,
  type KeyPair,
} from '../support/certificate.ts';
import { Files } from '../support/files.ts';
import { inWorld, type Place, type World } from '../support/world.ts';

const LATER_MS = 61_000;

/** An authority of the company, which nobody trusts by itself. */
let company: Authority;

beforeAll(async () => {
  company = await createAuthority();
});

/** A place under the company's authority. */
async function companyPlace(world: World, name: string): Promise<Place> {
  return world.place({ names: [name], certificate: await company.issue([name]) });
}

function trust(world: World, ...places: readonly Place[]): Files {
  const files = world.use(new Files());
  const file = files.write('ca.pem', company.certificate);
  world.set('registryCa', places.map(({ host }) => `${host}=${file}`).join(','));
  return files;
}

describe('the certificate of a registry', () => {
  it.each<[string, () => KeyPair | Promise<KeyPair>, string, boolean]>([
    [
      'by an unknown authority',
      () => company.issue(['r.example.com']),
      'has a certificate of an unknown authority',
      true,
    ],
    ['signed by itself', createSelfSigned, 'has a certificate that it signed itself', true],
    [
      'that has expired',
      () => company.issue(['r.example.com'], new Date(Date.now() - 1000)),
      'has a certificate that has expired',
      false,
    ],
    [
      'for another name',
      () => company.issue(['other.example.com']),
      'has a certificate for another name',
      false,
    ],
  ])(
    'fault 62: %s → tls_failed, which says what helps; no credential is sent',
    inWorld(async (world, _what: string, ...[issue, said, isHelped]) => {
      const registry = await world.place({ names: ['r.example.com'], certificate: await issue() });
      // Node names an unknown authority first.
      if (!isHelped) trust(world, registry);
      registry.answer(told());
      const failure = await world.failureOf(registry.image);
      expect(failure.code).toBe('tls_failed');
      expect(failure.message).toContain(`${registry.host} ${said}`);
      expect(failure.message.includes(`--registry-ca ${registry.host}=FILE`)).toBe(isHelped);
      expect(failure.message.includes('NODE_EXTRA_CA_CERTS')).toBe(isHelped);
      expect(registry.requests).toHaveLength(0);
    }),
  );

  it(
    'is trusted by --registry-ca, for the credential too',
    inWorld(async (world) => {
      const registry = await companyPlace(world, 'r.example.com');
      trust(world, registry);
      registry.answer(withAuthorization(registry.basic), unauthorized('Basic realm="r"'));
      expect(await world.digestOf(registry.image)).toBe(INDEX_DIGEST);
    }),
  );

  it(
    'is trusted for its own host and port alone',
    inWorld(async (world) => {
      const registry = await companyPlace(world, 'r.example.com');
      const other = await companyPlace(world, 'r.example.com');
      trust(world, registry);
      expect(await world.digestOf(other.image)).toBe('tls_failed');
    }),
  );

  it(
    'with --registry-ca alone does not make a port dialled that no other flag names',
    inWorld(async (world) => {
      const certificate = await company.issue(['r.example.com']);
      const registry = await world.place({ names: ['r.example.com'], certificate, isNamed: false });
      trust(world, registry);
      expect(await world.failureOf(registry.image)).toMatchObject({
        code: 'blocked_address',
        message: expect.stringContaining(`--allow-registry ${registry.host}`),
      });
      expect(registry.requests).toHaveLength(0);
    }),
  );

  it(
    'is that of the place to which a redirect leads, too',
    inWorld(async (world) => {
      const registry = await companyPlace(world, 'r.example.com');
      const other = await companyPlace(world, 'storage.example.com');
      trust(world, registry, other);
      registry.answer({ status: 307, headers: { location: `${other.origin}/there` } });
      other.answer(told());
      expect(await world.digestOf(registry.image)).toBe(INDEX_DIGEST);
    }),
  );
});

/** GitLab: the registry on a port of its own, the token server on the same private domain. */
async function gitlab(world: World): Promise<{ readonly registry: Place; readonly server: Place }> {
  const registry = await companyPlace(world, 'registry.gitlab.corp.example');
  const server = await companyPlace(world, 'gitlab.corp.example');
  world.canaries.entrust(registry.credential, server);
  server.answer(issues({ token: 'fresh' }, { when: { path: '/jwt/auth' } }));
  registry.answer(
    withAuthorization('Bearer fresh'),
    unauthorized(`Bearer realm="${server.origin}/jwt/auth",service="container_registry"`),
  );
  return { registry, server };
}

describe('a token server under the same private authority', () => {
  it(
    'is trusted where --registry-ca names it',
    inWorld(async (world) => {
      const { registry, server } = await gitlab(world);
      trust(world, registry, server);
      expect(await world.digestOf(registry.image)).toBe(INDEX_DIGEST);
      expect(server.requests[0]?.headers.authorization).toBe(registry.basic);
    }),
  );

  it(
    'is named in the failure where --registry-ca does not name it',
    inWorld(async (world) => {
      const { registry, server } = await gitlab(world);
      trust(world, registry);
      expect(await world.failureOf(registry.image)).toMatchObject({
        code: 'tls_failed',
        message: expect.stringContaining(`--registry-ca ${server.host}=FILE`),
      });
      expect(server.requests).toHaveLength(0);
    }),
  );

  it(
    'is trusted where a hosts.toml has the authority of the registry, as on a node',
    inWorld(async (world) => {
      const { registry, server } = await gitlab(world);
      const files = world.use(new Files());
      const directory = `${registry.host.replace(':', '_')}_`;
      files.write(`${directory}/ca.crt`, company.certificate);
      world.set('hostsDir', files.directory);
      expect(await world.digestOf(registry.image)).toBe(INDEX_DIGEST);
      expect(server.requests).toHaveLength(1);
    }),
  );

  it(
    'is verified where the registry is not: skip_verify is for the host that it stands under',
    inWorld(async (world) => {
      const { registry, server } = await gitlab(world);
      const files = world.use(new Files());
      files.write(`${registry.host.replace(':', '_')}_/hosts.toml`, 'skip_verify = true');
      world.set('hostsDir', files.directory);
      expect(await world.digestOf(registry.image)).toBe('tls_failed');
      expect(server.requests).toHaveLength(0);
    }),
  );
});

describe('an authority that is replaced while the program runs', () => {
  it(
    'counts from the next request on, and leaves the one under way alone',
    inWorld(async (world) => {
      const registry = await companyPlace(world, 'r.example.com');
      const files = trust(world, registry);
      const release = Promise.withResolvers<void>();
      registry.answer({ ...told(), hold: release.promise, times: 1 }, told(OTHER_DIGEST));
      const first = world.digestOf(registry.image);
      await registry.received(1);
      const stranger = await createAuthority();
      files.write('ca.pem', stranger.certificate);
      expect(await world.digestOf(`${registry.host}/team/other:1`)).toBe('tls_failed');
      files.write('ca.pem', `${stranger.certificate}\n${company.certificate}`);
      world.pass(LATER_MS);
      expect(await world.digestOf(`${registry.host}/team/third:1`)).toBe(OTHER_DIGEST);
      release.resolve();
      expect(await first).toBe(INDEX_DIGEST);
      expect(registry.requests).toHaveLength(2);
    }),
  );

  it(
    'is kept where the new file is broken, with one warning',
    inWorld(async (world) => {
      const registry = await companyPlace(world, 'r.example.com');
      const files = trust(world, registry);
      registry.answer(told());
      expect(await world.digestOf(registry.image)).toBe(INDEX_DIGEST);
      files.write('ca.pem', 'broken');
      for (let n = 0; n < 2; n += 1) {
        world.pass(LATER_MS);
        // oxlint-disable-next-line no-await-in-loop -- one after the other
        expect(await world.digestOf(registry.image)).toBe(INDEX_DIGEST);
      }
      expect(world.logged).toHaveLength(1);
      expect(world.logged[0]).toMatch(/^warn authorities not used .*it holds no PEM certificate/);
    }),
  );
});
