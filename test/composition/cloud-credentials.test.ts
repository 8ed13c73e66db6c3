import { describe, expect, it } from '@jest/globals';

import { composeCloudCredentials } from '../../src/composition/cloud-credentials.ts';
import { parseReference } from '../../src/image/reference.ts';
import type { Cloud } from '../../src/settings/credential-settings.ts';
import { createCloudStack, failureOf, offersOf } from '../support/cloud.ts';
import { type Rule, startRegistry } from '../support/scripted-registry.ts';

const { parts } = createCloudStack();
const FLAVOR = { 'metadata-flavor': 'Google' };
const METADATA: readonly Rule[] = [
  {
    when: { path: '/computeMetadata/v1/instance/service-accounts/default/token', headers: FLAVOR },
    headers: FLAVOR,
    body: '{"access_token":"token","expires_in":3599}',
  },
  { when: { headers: FLAVOR }, status: 404, headers: FLAVOR },
];

function compose(clouds: readonly Cloud[], environment: Readonly<Record<string, string>> = {}) {
  return composeCloudCredentials(clouds, { ...parts, environment });
}

describe('composeCloudCredentials()', () => {
  it('makes none that is not named', () => expect(compose([])).toEqual([]));

  it('makes those that are named, in their one order', () => {
    const names = compose(['azure', 'google', 'aws']).map(({ name }) => name);
    expect(names).toEqual(['google', 'aws', 'azure']);
    expect(compose(['aws']).map(({ name }) => name)).toEqual(['aws']);
  });

  it.each([
    ['google', 'gcr.io'],
    ['aws', '123456789012.dkr.ecr.us-east-1.amazonaws.com'],
    ['azure', 'contoso.azurecr.io'],
  ])('%s alone covers %s, and all load', async (name, registry) => {
    const sources = compose(['google', 'aws', 'azure']);
    await Promise.all(sources.map((source) => source.load()));
    const reference = { ...parseReference('x/y:1'), registry };
    const covering = sources.filter((source) => source.covers(reference));
    expect(covering.map((source) => source.name)).toEqual([name]);
  });

  it('asks the metadata server of GCE_METADATA_HOST, for an empty file is none', async () => {
    await using server = await startRegistry(METADATA);
    const environment = { GCE_METADATA_HOST: server.host, GOOGLE_APPLICATION_CREDENTIALS: '' };
    const [google] = compose(['google'], environment);
    if (google === undefined) throw new Error('there is no source');
    const [offer] = await offersOf(google, 'gcr.io/project/app:1');
    expect(offer?.credential).toEqual({ username: 'oauth2accesstoken', password: 'token' });
  });

  it('reads the file of GOOGLE_APPLICATION_CREDENTIALS, and asks no metadata server then', async () => {
    await using server = await startRegistry(METADATA);
    const environment = {
      GCE_METADATA_HOST: server.host,
      GOOGLE_APPLICATION_CREDENTIALS: '/nonexistent',
    };
    const [google] = compose(['google'], environment);
    if (google === undefined) throw new Error('there is no source');
    const { error } = await failureOf(google, 'gcr.io/project/app:1');
    expect(error.message).toMatch(/credential file .*ENOENT/);
    expect(server.requests).toEqual([]);
  });
});
