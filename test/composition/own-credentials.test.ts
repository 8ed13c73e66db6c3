import { describe, expect, it } from '@jest/globals';
import { composeOwnCredentials } from '../../src/composition/own-credentials.ts';
import { SERVE_SETTINGS, type ServeSettings } from '../../src/config.ts';
import { PinError } from '../../src/errors.ts';
import { readSettings } from '../../src/settings/setting.ts';
import { INDEX_DIGEST, told, unauthorized, withAuthorization } from '../support/answers.ts';
import { runTagpin } from '../support/process.ts';
import { Programs } from '../support/programs.ts';
import { createRecordedLog } from '../support/recorded-log.ts';
import { inWorld, type Place, type World } from '../support/world.ts';

const ASKS_FOR_BASIC = unauthorized('Basic realm="r"');
const V1 = 'credentialprovider.kubelet.k8s.io/v1';
const NO_SECRET = { pullSecrets: [] };

/** A registry that knows its one credential, which nobody has as a pull secret. */
async function guarded(world: World, options: Parameters<World['place']>[0] = {}): Promise<Place> {
  const registry = await world.place(options);
  registry.answer(withAuthorization(registry.basic), ASKS_FOR_BASIC);
  return registry;
}

/** The operator's docker config, with a credential for each place. */
function dockerConfig(world: World, ...places: readonly Place[]): Programs {
  const files = world.use(new Programs());
  world.set('dockerConfig', files.write('config.json', configOf(places)));
  return files;
}

function configOf(places: readonly Place[]): string {
  const auths = places.map(({ host, credential }) => [host, credential]);
  return JSON.stringify({ auths: Object.fromEntries(auths) });
}

/** A plugin of this name that has a credential for the place. */
function plugin(world: World, name: string, { host, credential }: Place): void {
  const programs = world.use(new Programs());
  const answer = { cacheKeyType: 'Registry', auth: { [host]: credential } };
  const kind = 'CredentialProviderResponse';
  const text = JSON.stringify({ kind, apiVersion: V1, ...answer });
  programs.program(`bin/${name}`, `cat <<'EOF'\n${text}\nEOF`);
  world.set('imageCredentialProviderBinDir', programs.at('bin'));
  world.set(
    'imageCredentialProviderConfig',
    programs.write('providers.yaml', providerYaml(name, host)),
  );
}

function providerYaml(name: string, host: string): string {
  return `apiVersion: kubelet.config.k8s.io/v1
kind: CredentialProviderConfig
providers:
  - name: ${name}
    matchImages: ["${host}"]
    defaultCacheDuration: 1h
    apiVersion: ${V1}
`;
}

describe('the operator lends credentials', () => {
  it(
    'to a namespace that is listed and not to another, which shares no digest either',
    inWorld(async (world) => {
      const registry = await guarded(world);
      dockerConfig(world, registry);
      world.set('ownCredentialsNamespaces', 'team-*,ops');
      const ask = (namespace: string) =>
        world.digestOf(registry.image, { namespace, ...NO_SECRET });
      expect(await ask('team-a')).toBe(INDEX_DIGEST);
      const before = registry.requests.length;
      expect(await ask('other')).toBe('unauthorized');
      const sent = registry.requests.slice(before).map(({ headers }) => headers.authorization);
      expect(sent).toEqual([undefined]);
      expect(await ask('ops')).toBe(INDEX_DIGEST);
      expect(await ask('team-b')).toBe(INDEX_DIGEST);
      expect(world.observed).toEqual(['miss', 'miss', 'hit', 'hit']);
    }),
  );

  it(
    'for the images that are listed alone',
    inWorld(async (world) => {
      const registry = await guarded(world);
      dockerConfig(world, registry);
      world.set('ownCredentialsImages', '127.0.0.1:*/team/*');
      expect(await world.digestOf(registry.image, NO_SECRET)).toBe(INDEX_DIGEST);
      const other = `${registry.host}/other/app:1.0`;
      expect(await world.digestOf(other, NO_SECRET)).toBe('unauthorized');
    }),
  );

  it(
    "behind the pod's own, and says in a refusal what was tried",
    inWorld(async (world) => {
      const registry = await world.place();
      const file = dockerConfig(world, registry).at('config.json');
      world.set('ownCredentialsNamespaces', '*');
      registry.answer(ASKS_FOR_BASIC);
      const error = await world.failureOf(registry.image);
      expect(error.code).toBe('unauthorized');
      expect(error.message).toContain(
        `asked with pull secret "all-places", docker config ${JSON.stringify(file)}`,
      );
    }),
  );

  it(
    'of the docker config as it is now; one that is broken leaves the last',
    inWorld(async (world) => {
      const registry = await guarded(world);
      const files = dockerConfig(world);
      world.set('ownCredentialsNamespaces', '*');
      const ask = (tag: string) => world.digestOf(`${registry.host}/team/app:${tag}`, NO_SECRET);
      expect(await ask('1')).toBe('unauthorized');
      files.write('config.json', configOf([registry]));
      expect(await ask('2')).toBe(INDEX_DIGEST);
      files.write('config.json', '{"auths":');
      expect(await ask('3')).toBe(INDEX_DIGEST);
      expect(await ask('4')).toBe(INDEX_DIGEST);
      const warnings = world.logged.filter((line) => line.includes('docker config'));
      expect(warnings).toEqual([expect.stringMatching(/^warn .*it is not JSON/)]);
    }),
  );

  it(
    "of a kubelet's plugin",
    inWorld(async (world) => {
      const registry = await guarded(world);
      plugin(world, 'p', registry);
      world.set('ownCredentialsNamespaces', '*');
      expect(await world.digestOf(registry.image, NO_SECRET)).toBe(INDEX_DIGEST);
      expect(await world.metrics()).toContain(
        'tagpin_credential_lookups_total{source="credential_provider",result="found"} 1',
      );
    }),
  );

  it(
    'of the docker config before a plugin',
    inWorld(async (world) => {
      const registry = await world.place();
      const wrong = world.canaries.credential(registry);
      const files = dockerConfig(world);
      files.write('config.json', JSON.stringify({ auths: { [registry.host]: wrong } }));
      plugin(world, 'p', registry);
      world.set('ownCredentialsNamespaces', '*');
      registry.answer(withAuthorization(registry.basic), ASKS_FOR_BASIC);
      const answer = await world.resolve(registry.image, NO_SECRET);
      expect(answer).toMatchObject({ digest: INDEX_DIGEST, attempts: 2 });
    }),
  );
});

describe('a host in the operator’s docker config', () => {
  const NAMES = { names: ['registry.corp.example'], isNamed: false };

  it(
    'counts as named by a flag, with its port',
    inWorld(async (world) => {
      const registry = await guarded(world, NAMES);
      dockerConfig(world, registry);
      world.set('ownCredentialsNamespaces', 'ops');
      expect(await world.digestOf(registry.image)).toBe(INDEX_DIGEST);
    }),
  );

  it(
    'does not where it is missing there',
    inWorld(async (world) => {
      const registry = await world.place(NAMES);
      registry.answer(told());
      expect(await world.digestOf(registry.image)).toBe('blocked_address');
    }),
  );
});

describe('credentials that cannot be used', () => {
  type Flags = Partial<Record<keyof ServeSettings, string>>;

  function refusalOf(flags: Flags): PinError {
    const settings = readSettings(SERVE_SETTINGS, { flags, environment: {} });
    const { log } = createRecordedLog();
    const sources = { given: [], authFiles: [] };
    const parts = { log, environment: {}, now: () => 0, observe: () => {}, ...sources };
    try {
      composeOwnCredentials(settings, parts);
    } catch (caught) {
      if (caught instanceof PinError) return caught;
      throw caught;
    }
    throw new Error('not refused');
  }

  it.each<[string, (files: Programs) => Flags, string]>([
    [
      'that nobody may use',
      (files) => ({
        dockerConfig: files.write('config.json', '{}'),
        ownCredentialsNamespaces: '',
      }),
      '--own-credentials-namespaces or --own-credentials-images',
    ],
    ['in a missing file', (files) => ({ dockerConfig: files.at('missing') }), '/missing"'],
    [
      'in a broken file',
      (files) => ({ dockerConfig: files.write('config.json', 'hunter2') }),
      'it is not JSON',
    ],
    [
      'of plugins without a directory',
      (files) => ({ imageCredentialProviderConfig: files.at('providers.yaml') }),
      '--image-credential-provider-bin-dir',
    ],
    [
      'of a directory without plugins',
      (files) => ({ imageCredentialProviderBinDir: files.directory }),
      '--image-credential-provider-config',
    ],
    [
      'of a plugin that is missing',
      (files) => ({
        imageCredentialProviderBinDir: files.directory,
        imageCredentialProviderConfig: files.write('p.yaml', providerYaml('missing', 'a.example')),
      }),
      '/missing"',
    ],
  ])('end the start: %s', async (_, prepare, message) => {
    await using files = new Programs();
    const error = refusalOf({ ownCredentialsNamespaces: '*', ...prepare(files) });
    expect(error.code).toBe('invalid_config');
    expect(error.message).toContain(message);
  });

  it('end tagpin serve with status 2', async () => {
    await using files = new Programs();
    const file = files.write('config.json', '{}');
    const { code, stderr } = await runTagpin(['serve', `--docker-config=${file}`]);
    expect(code).toBe(2);
    expect(stderr).toContain('--own-credentials-namespaces or --own-credentials-images');
  });
});
