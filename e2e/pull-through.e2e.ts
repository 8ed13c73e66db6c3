import { readFile } from 'node:fs/promises';

import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';

import { MANIFEST_ACCEPT } from '../src/image/manifest.ts';
import { POD, reviewBody } from '../test/support/review.ts';
import { type RunningDistribution, startDistribution } from './support/distribution.ts';
import { readEnvironment } from './support/environment.ts';
import { type ForgetfulCache, startForgetfulCache } from './support/forgetful-cache.ts';
import { type LocalWebhook, startLocalWebhook } from './support/local-webhook.ts';
import { TestImage } from './support/test-image.ts';

const { directory, registry } = readEnvironment();

let upstream: RunningDistribution;
let cache: RunningDistribution;
let forgetful: ForgetfulCache;
let webhook: LocalWebhook;

beforeAll(async () => {
  upstream = await startDistribution({
    name: 'pull-through-upstream',
    directory,
    config: { storage: { inmemory: {} } },
  });
  cache = await startDistribution({
    name: 'pull-through-cache',
    directory,
    config: { storage: { inmemory: {} }, proxy: { remoteurl: `http://${upstream.host}` } },
  });
  forgetful = await startForgetfulCache(registry);
  webhook = await startLocalWebhook([
    '--plain-http=127.0.0.1:*',
    `--verify-by-digest=${cache.host}/e2e,${forgetful.host}`,
    '--cache-ttl=0s',
  ]);
});

afterAll(async () => {
  await webhook.stop();
  await forgetful[Symbol.asyncDispose]();
  await cache.stop();
  await upstream.stop();
});

/** The text of the answer to a new Pod with this image: its patch, or its refusal. */
async function admit(image: string): Promise<string> {
  const object = { metadata: { name: 'web' }, spec: { containers: [{ name: 'web', image }] } };
  const { response } = await webhook.send('enforce', reviewBody(POD, { object }));
  return response.allowed ? atob(response.patch ?? '') : (response.status?.message ?? '');
}

/** What the cache was asked for of a repository, by its own access log. */
async function askedFor(repository: string): Promise<string[]> {
  const log = await readFile(cache.logFile, 'utf8');
  const request = new RegExp(`"(\\w+ )/v2/${repository}/manifests/(\\S+) [^"]*" .*tagpin`, 'gu');
  return [...log.matchAll(request)].map(([, method = '', name = '']) => method + name);
}

describe('--verify-by-digest', () => {
  it('pins what the pull-through mode of distribution serves by its digest, asked for once', async () => {
    const image = await TestImage.ofTwoPlatforms(upstream);
    const digest = await image.digest();
    const name = `${cache.host}/${image.repository}`;

    for (const asked of [
      ['GET 1', `GET ${digest}`],
      ['GET 1', `GET ${digest}`, 'GET 1'],
    ]) {
      expect(await admit(`${name}:1`)).toContain(`"${name}@${digest}"`);
      expect(await askedFor(image.repository)).toEqual(asked);
    }
  });

  it('pins nothing less when the upstream has gone, for the cache has imported it', async () => {
    const image = await TestImage.ofOnePlatform(upstream);
    const digest = await image.digest();
    const name = `${cache.host}/${image.repository}`;
    await admit(`${name}:1`);

    await upstream.stop();

    const pulled = await fetch(`http://${cache.host}/v2/${image.repository}/manifests/${digest}`, {
      headers: { accept: MANIFEST_ACCEPT },
    });
    expect(pulled.status).toBe(200);
    expect(await admit(`${name}:1`)).toContain(`"${name}@${digest}"`);
  });

  it('refuses a digest that the cache does not serve, says so, and pins once it does', async () => {
    const image = await TestImage.ofTwoPlatforms(registry);
    const digest = await image.digest();
    const tagged = `${forgetful.host}/${image.repository}:1`;

    const message = await admit(tagged);
    expect(message).toContain(`Cannot resolve "${tagged}" for container "web"`);
    expect(message).toContain(
      `${forgetful.host} has the tag as ${digest}, and does not serve it by that digest`,
    );
    expect(message).toContain('[digest_not_served]');

    forgetful.remember();
    expect(await admit(`${forgetful.host}/${image.repository}:1`)).toContain(digest);
  });
});
