import { basename } from 'node:path';

import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import * as fc from 'fast-check';

import type { Credential } from '../src/credentials/credential.ts';
import { createKeyring, type Secret } from '../src/credentials/keyring.ts';
import { toTarget } from '../src/credentials/location-match.ts';
import { parseProviderConfig } from '../src/credentials/sources/provider-config.ts';
import { createProviderSource } from '../src/credentials/sources/provider-source.ts';
import { PinError } from '../src/errors.ts';
import { normalizedName, parseReference } from '../src/image/reference.ts';
import { auths, configText, imageName, referenceText, registryKeys } from './oracle/arbitraries.ts';
import { type KubeletAnswer, type KubeletQuestion, Oracle, type Plugin } from './oracle/client.ts';
import { binaryPath, buildBinaries } from './support/binaries.ts';

const BUILD_TIMEOUT_MS = 600_000;
const RUNS = { numRuns: 3000 };
// A comparison of nothing but refusals would show nothing.
const ENOUGH = 50;

const CONFIG_JSON = ['kubernetes.io/dockerconfigjson', '.dockerconfigjson'] as const;
const DOCKERCFG = ['kubernetes.io/dockercfg', '.dockercfg'] as const;
const IMAGE = fc.constant('a.b/c');

let oracle: Oracle<KubeletQuestion, KubeletAnswer>;

beforeAll(async () => {
  await buildBinaries(['oracle']);
  oracle = new Oracle(binaryPath('oracle'));
}, BUILD_TIMEOUT_MS);
afterAll(() => oracle.close());

describe('parseReference()', () => {
  it('answers as github.com/distribution/reference', async () => {
    let accepted = 0;
    await fc.assert(
      fc.asyncProperty(referenceText, async (written) => {
        const { reference } = await oracle.ask({ kind: 'reference', text: written });
        const ours = outcome(() => parseReference(written));
        expect(ours === undefined).toBe(reference === undefined);
        if (ours === undefined || reference === undefined) return;
        accepted += 1;
        // Upstream finds no host in `x_y.z/a`, and tells host and path no further apart.
        const parts = reference.domain === '' ? {} : { registry: reference.domain };
        expect({ ...ours, name: normalizedName(ours) }).toMatchObject({
          ...parts,
          name: reference.name,
        });
        expect([ours.tag, ours.digest]).toStrictEqual([reference.tag, reference.digest]);
      }),
      RUNS,
    );
    expect(accepted).toBeGreaterThan(ENOUGH);
  });
});

describe('createKeyring()', () => {
  it('finds what kubelet finds, in its order', async () => {
    const secrets = fc.array(registryKeys, { maxLength: 6 }).map((keysOfSecrets) =>
      keysOfSecrets.map((keys, index) => {
        const entries = Object.fromEntries(keys.map((key) => [key, user(key, index)]));
        return secretOf(CONFIG_JSON, JSON.stringify({ auths: entries }));
      }),
    );
    expect(await timesFoundAlike(secrets, imageName)).toBeGreaterThan(ENOUGH);
  });

  it('reads a config as kubelet does', async () => {
    const secrets = configText.map((content) => [secretOf(CONFIG_JSON, content)]);
    expect(await timesFoundAlike(secrets, IMAGE)).toBeGreaterThan(ENOUGH);
  });

  it('reads the older format as kubelet does', async () => {
    const secrets = auths.map((content) => [secretOf(DOCKERCFG, JSON.stringify(content))]);
    expect(await timesFoundAlike(secrets, IMAGE)).toBeGreaterThan(ENOUGH);
  });

  it('chooses secrets by type and key as kubelet does', async () => {
    const word = fc.constantFrom(...CONFIG_JSON, ...DOCKERCFG, 'Opaque', '');
    const secrets = fc
      .array(fc.tuple(word, word, fc.constantFrom('', 'older', 'newer')))
      .map((choices) =>
        choices.map(([type, key, format], index) => {
          const entries = { 'a.b': user('a.b', index) };
          const content = format === 'older' ? entries : { auths: entries };
          return secretOf([type, key], format === '' ? '' : JSON.stringify(content));
        }),
      );
    expect(await timesFoundAlike(secrets, IMAGE)).toBeGreaterThan(ENOUGH);
  });
});

describe('createProviderSource()', () => {
  it('asks the plugins that kubelet asks, and finds what it finds in their answers, in its order', async () => {
    const glob = registryKeys
      .map(([key = '']) => key)
      // Kubelet and tagpin refuse what is no location at their start.
      .filter((key) => toTarget(key) !== undefined);
    const plugin = fc.record({
      matchImages: fc.array(fc.oneof(glob, fc.constantFrom('a.b', '*.b')), {
        minLength: 1,
        maxLength: 3,
      }),
      keys: registryKeys,
    });
    // To kubelet a host of one label is the Hub, too; tagpin has nothing of its own for one.
    const image = imageName.filter((name) => !/^(?:localhost|A)\//.test(name));
    let found = 0;
    await fc.assert(
      fc.asyncProperty(
        fc.array(plugin, { minLength: 1, maxLength: 3 }),
        image,
        async (chosen, name) => {
          const plugins = chosen.map(({ matchImages, keys }, index) => ({
            matchImages,
            auth: Object.fromEntries(
              keys.map((key) => [key, { username: `${index} ${key}`, password: 'p' }]),
            ),
          }));
          const { error, credentials } = await oracle.ask({
            kind: 'plugins',
            plugins,
            image: name,
          });
          const ours = await credentialsOf(plugins, name);
          expect(ours).toStrictEqual(error === undefined ? (credentials ?? []) : undefined);
          if (ours !== undefined && ours.length > 0) found += 1;
        },
      ),
      RUNS,
    );
    expect(found).toBeGreaterThan(ENOUGH);
  });
});

/** What tagpin finds with these plugins, which answer without a process; undefined for no image. */
async function credentialsOf(
  plugins: readonly Plugin[],
  image: string,
): Promise<Credential[] | undefined> {
  const reference = outcome(() => parseReference(image));
  if (reference === undefined) return undefined;
  const apiVersion = 'credentialprovider.kubelet.k8s.io/v1';
  const providers = plugins.map(({ matchImages }, index) => ({
    name: String(index),
    matchImages,
    apiVersion,
    defaultCacheDuration: '0s',
  }));
  const config = { apiVersion: 'kubelet.config.k8s.io/v1', kind: 'CredentialProviderConfig' };
  const source = createProviderSource({
    providers: parseProviderConfig(JSON.stringify({ ...config, providers }), 'config'),
    run: async ({ file }) => {
      const kind = 'CredentialProviderResponse';
      const auth = plugins[Number(basename(file))]?.auth;
      return {
        exitCode: 0,
        stdout: JSON.stringify({ apiVersion, kind, cacheKeyType: 'Image', auth }),
      };
    },
    environment: {},
    binDir: '/',
    now: () => 0,
    observe: () => {},
    log: { warn: () => {} },
  });
  const offers = await source.offersFor(reference, new AbortController().signal);
  return offers.map(({ credential }) => credential);
}

function user(key: string, index: number): object {
  return { username: `${index} ${key}`, password: 'p' };
}

function secretOf([type, key]: readonly [string, string], content: string): Secret {
  return { type, data: { [key]: Buffer.from(content).toString('base64') } };
}

/** Asks both sides, and counts the cases in which they found anything. */
async function timesFoundAlike(
  secretsOfCase: fc.Arbitrary<Secret[]>,
  imageOfCase: fc.Arbitrary<string>,
): Promise<number> {
  let found = 0;
  await fc.assert(
    fc.asyncProperty(secretsOfCase, imageOfCase, async (secrets, image) => {
      const { error, credentials } = await oracle.ask({ kind: 'keyring', secrets, image });
      const ours = outcome(() => createKeyring(secrets).lookup(image));
      expect(ours).toStrictEqual(error === undefined ? (credentials ?? []) : undefined);
      if (ours !== undefined && ours.length > 0) found += 1;
    }),
    RUNS,
  );
  return found;
}

/** What `act` gives, or undefined for a PinError; any other error fails the test. */
function outcome<T>(act: () => T): T | undefined {
  try {
    return act();
  } catch (caught) {
    if (caught instanceof PinError) return undefined;
    throw caught;
  }
}
