import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';

import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';

import { computeDigest } from '../src/image/digest.ts';
import { runTagpin } from '../test/support/process.ts';
import { startTokenServer, type TokenServer } from '../test/support/token-server.ts';
import { PUBLIC, PULLER } from './support/contract.ts';
import { crane } from './support/crane.ts';
import { type RunningDistribution, startDistribution } from './support/distribution.ts';
import { readEnvironment } from './support/environment.ts';
import { pushImage } from './support/image.ts';

const { directory } = readEnvironment();
const REPOSITORY = 'reading/app';
const NOBODY = { HOME: '/nonexistent' };
const PASSWORD = [`--username=${PULLER.username}`, '--password-stdin'];

let tokenServer: TokenServer;
let running: RunningDistribution;
/** On the same images, for crane, which asks no token server of a private address. */
let open: RunningDistribution;
let image: string;
let digest: string;

/** A distribution registry that wants tokens, with one image. */
beforeAll(async () => {
  const storage = { filesystem: { rootdirectory: join(directory, 'reading') } };
  tokenServer = await startTokenServer({ account: PULLER, publicPrefix: PUBLIC });
  open = await startDistribution({ name: 'reading-publisher', directory, config: { storage } });
  digest = await pushImage({ registry: open, repository: REPOSITORY, tag: '1' });
  const { realm, service, issuer } = tokenServer;
  const jwks = join(directory, 'reading.jwks');
  await writeFile(jwks, JSON.stringify(tokenServer.jwks));
  running = await startDistribution({
    name: 'reading',
    directory,
    config: { storage, auth: { token: { realm, service, issuer, jwks } } },
  });
  image = `${running.host}/${REPOSITORY}`;
});

afterAll(async () => {
  await running.stop();
  await open.stop();
  await tokenServer[Symbol.asyncDispose]();
});

/** A token for the repository, as a person has it from elsewhere. */
async function tokenOf(): Promise<string> {
  const url = new URL(tokenServer.realm);
  url.searchParams.set('scope', `repository:${REPOSITORY}:pull`);
  const authorization = `Basic ${btoa(`${PULLER.username}:${PULLER.password}`)}`;
  const response = await fetch(url, { headers: { authorization } });
  const { token } = (await response.json()) as { token: string };
  return token;
}

describe('a registry that wants tokens', () => {
  it('gives manifests, blobs and tags to whoever has the password, as it does to crane', async () => {
    const same = `${open.host}/${REPOSITORY}`;
    const manifest = await crane(open, ['manifest', `${same}:1`]);
    const { config } = JSON.parse(manifest) as { config: { digest: string } };
    const [ours, byDigest, blob, tags, theirs] = await Promise.all([
      runTagpin(['manifest', ...PASSWORD, `${image}:1`], NOBODY, PULLER.password),
      runTagpin(['resolve', ...PASSWORD, `${image}@${digest}`], NOBODY, PULLER.password),
      runTagpin(['blob', ...PASSWORD, `${image}@${config.digest}`], NOBODY, PULLER.password),
      runTagpin(['tags', ...PASSWORD, image], NOBODY, PULLER.password),
      crane(open, ['blob', `${same}@${config.digest}`]),
    ]);
    expect(ours).toEqual({ code: 0, stdout: manifest, stderr: '' });
    expect(computeDigest(Buffer.from(ours.stdout))).toBe(digest);
    expect(byDigest).toEqual({ code: 0, stdout: `${image}@${digest}\n`, stderr: '' });
    expect(blob).toEqual({ code: 0, stdout: theirs, stderr: '' });
    expect(tags).toEqual({ code: 0, stdout: '1\n', stderr: '' });
  });

  it('takes a token as it is, and no token server is asked', async () => {
    const token = await tokenOf();
    const before = tokenServer.requests.length;
    const { code, stdout } = await runTagpin(
      ['resolve', '--token-stdin', '--digest-only', `${image}:1`],
      NOBODY,
      `${token}\n`,
    );
    expect({ code, stdout }).toEqual({ code: 0, stdout: `${digest}\n` });
    expect(tokenServer.requests).toHaveLength(before);
  });

  it("reads podman's file where there is no docker config", async () => {
    const file = join(directory, 'reading-auth.json');
    const { username, password } = PULLER;
    await writeFile(file, JSON.stringify({ auths: { [running.host]: { username, password } } }));
    const env = { ...NOBODY, REGISTRY_AUTH_FILE: file };
    const { code, stdout } = await runTagpin(['tags', image], env);
    expect({ code, stdout }).toEqual({ code: 0, stdout: '1\n' });
  });

  it('says which file has no entry, and of what is missing the reason', async () => {
    const file = join(directory, 'reading-empty.json');
    await writeFile(file, '{}');
    const [refused, missing] = await Promise.all([
      runTagpin(['resolve', `--docker-config=${file}`, `${image}:1`], NOBODY),
      runTagpin(['resolve', ...PASSWORD, `${image}:none`], NOBODY, PULLER.password),
    ]);
    expect(refused.code).toBe(1);
    expect(refused.stderr).toContain(`docker config "${file}" has no entry for ${running.host}`);
    expect(missing.code).toBe(1);
    expect(missing.stderr).toContain(`${running.host} answered 404 (not found), MANIFEST_UNKNOWN`);
  });
});
