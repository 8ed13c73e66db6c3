import { describe, expect, it } from '@jest/globals';

import {
  type ProviderConfig,
  parseProviderConfig,
} from '../../../src/credentials/sources/provider-config.ts';
import { PinError } from '../../../src/errors.ts';

const ORIGIN = '"/providers.yaml"';

/** As the documentation of a cloud writes it. */
const YAML = `
apiVersion: kubelet.config.k8s.io/v1
kind: CredentialProviderConfig
providers:
  - name: ecr-credential-provider
    matchImages:
      - "*.dkr.ecr.*.amazonaws.com"
      - "registry.example.com:5000/team"
    defaultCacheDuration: "12h"
    apiVersion: credentialprovider.kubelet.k8s.io/v1
    args: [get-credentials, --verbose]
    env:
      - name: AWS_PROFILE
        value: example
`;

const PROVIDER = {
  name: 'p',
  matchImages: ['a.example'],
  defaultCacheDuration: '0s',
  apiVersion: 'credentialprovider.kubelet.k8s.io/v1',
};
const CONFIG = { apiVersion: 'kubelet.config.k8s.io/v1', kind: 'CredentialProviderConfig' };

function parse(provider: object, config: object = {}): ProviderConfig[] {
  const providers = [{ ...PROVIDER, ...provider }];
  return parseProviderConfig(JSON.stringify({ ...CONFIG, providers, ...config }), ORIGIN);
}

function refusalOf(act: () => unknown): PinError {
  try {
    act();
  } catch (caught) {
    if (caught instanceof PinError) return caught;
    throw caught;
  }
  throw new Error('not refused');
}

describe('parseProviderConfig()', () => {
  it('reads YAML', () => {
    expect(parseProviderConfig(YAML, ORIGIN)).toEqual([
      {
        name: 'ecr-credential-provider',
        apiVersion: 'credentialprovider.kubelet.k8s.io/v1',
        matchImages: [
          { labels: ['*', 'dkr', 'ecr', '*', 'amazonaws', 'com'], port: '', path: '' },
          { labels: ['registry', 'example', 'com'], port: '5000', path: '/team' },
        ],
        defaultCacheMs: 43_200_000,
        args: ['get-credentials', '--verbose'],
        env: { AWS_PROFILE: 'example' },
      },
    ]);
  });

  it.each(['v1', 'v1beta1', 'v1alpha1'])('reads JSON of %s', (version) => {
    const apiVersion = `credentialprovider.kubelet.k8s.io/${version}`;
    const config = { apiVersion: `kubelet.config.k8s.io/${version}` };
    expect(parse({ apiVersion }, config)).toEqual([
      expect.objectContaining({ apiVersion, defaultCacheMs: 0, args: [], env: {} }),
    ]);
  });

  it('takes null for nothing, as Go does', () => {
    expect(parse({ args: null, env: null, tokenAttributes: null })).toHaveLength(1);
  });

  it('takes a provider that can do without a token', () => {
    const tokenAttributes = {
      serviceAccountTokenAudience: 'a',
      cacheType: 'Token',
      requireServiceAccount: false,
    };
    expect(parse({ tokenAttributes })).toHaveLength(1);
  });

  it.each<[string, object, string]>([
    ['a token', { tokenAttributes: { requireServiceAccount: true } }, 'requires a Pod'],
    ['a token, perhaps', { tokenAttributes: {} }, 'which tagpin does not have'],
    ['no name', { name: '' }, 'it has no name'],
    ['a path for a name', { name: 'a/b' }, 'it has no name'],
    ['a name with a space', { name: 'a b' }, 'it has no name'],
    ['a directory for a name', { name: '..' }, 'it has no name'],
    ['no apiVersion', { apiVersion: undefined }, 'its apiVersion is none of'],
    ['another apiVersion', { apiVersion: 'v1' }, 'its apiVersion is none of'],
    ['no images', { matchImages: [] }, 'it has no matchImages'],
    ['one image without a list', { matchImages: 'a' }, 'its matchImages are no list'],
    ['an image that is no text', { matchImages: [1] }, 'no list of texts'],
    ['an image that is no location', { matchImages: ['a:b'] }, '"a:b" of its matchImages'],
    ['no duration', { defaultCacheDuration: undefined }, 'no defaultCacheDuration'],
    ['a duration that is a number', { defaultCacheDuration: 5 }, 'no defaultCacheDuration'],
    ['a negative duration', { defaultCacheDuration: '-1s' }, 'no defaultCacheDuration'],
    ['an argument that is no text', { args: [1] }, 'its args are no list of texts'],
    ['an env without a name', { env: [{ value: 'CANARY' }] }, 'an entry of its env'],
    ['an env that ends a text', { env: [{ name: 'a', value: 'CANARY\0' }] }, 'an entry of its env'],
    ['a field that nobody knows', { matchImage: ['CANARY'] }, 'an unknown field "matchImage"'],
  ])('refuses %s', (_, provider, reason) => {
    const error = refusalOf(() => parse(provider));
    expect(error.code).toBe('invalid_config');
    expect(error.message).toContain(`Cannot use ${ORIGIN}: provider "`);
    expect(error.message).toContain(reason);
    expect(error.message).not.toContain('CANARY');
  });

  it.each<[string, string, string]>([
    ['what is no YAML', 'a: b\nCANARY: [', 'it is not YAML (line 2)'],
    ['a key that is there twice', 'a: b\na: CANARY', 'it is not YAML (line 2)'],
    ['a text', 'CANARY', 'it holds no object'],
    ['nothing', '', 'it holds no object'],
    ['another kind', JSON.stringify({ ...CONFIG, kind: 'CANARY' }), 'no CredentialProviderConfig'],
    ['another group', JSON.stringify({ ...CONFIG, apiVersion: 'v1' }), 'no CredentialProvider'],
    ['an unknown field', JSON.stringify({ ...CONFIG, plugins: [] }), 'unknown field "plugins"'],
    ['a provider that is text', JSON.stringify({ ...CONFIG, providers: ['CANARY'] }), 'no object'],
  ])('refuses %s', (_, text, reason) => {
    const error = refusalOf(() => parseProviderConfig(text, ORIGIN));
    expect(error.code).toBe('invalid_config');
    expect(error.message).toContain(`Cannot use ${ORIGIN}: `);
    expect(error.message).toContain(reason);
    expect(error.message).not.toContain('CANARY');
  });
});
