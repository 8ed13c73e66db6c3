import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';

import { type Ended, runTagpin } from '../test/support/process.ts';
import { readEnvironment } from './support/environment.ts';
import { type Podman, startPodman } from './support/podman.ts';
import { TestImage } from './support/test-image.ts';

const { directory, registry } = readEnvironment();

const MADE_HERE = 'localhost/made-here';

let podman: Podman;
let single: TestImage;
let index: TestImage;

beforeAll(async () => {
  podman = await startPodman(directory);
  single = await TestImage.ofOnePlatform(registry);
  index = await TestImage.ofTwoPlatforms(registry);
  for (const { tagged } of [single, index]) {
    await podman.run(['pull', '--quiet', '--tls-verify=false', '--arch=amd64', tagged]);
  }
  await podman.importEmpty(MADE_HERE);
});

afterAll(async () => {
  await podman[Symbol.asyncDispose]();
});

function fromDaemon(args: readonly string[]): Promise<Ended> {
  const env = { DOCKER_HOST: `unix://${podman.socketPath}` };
  return runTagpin(['resolve', '--from-daemon', ...args], env);
}

describe('tagpin resolve --from-daemon, with podman', () => {
  it('gives the digest that the registry has, of an image and of an index', async () => {
    const wanted = [await single.pinned(), await index.pinned()];
    expect(await fromDaemon([single.tagged, index.tagged])).toEqual({
      code: 0,
      stdout: `${wanted.join('\n')}\n`,
      stderr: '',
    });
    expect((await fromDaemon(wanted)).stdout).toBe(`${wanted.join('\n')}\n`);
  });

  it('says what was pulled, after the tag has moved in its registry', async () => {
    const image = await TestImage.ofOnePlatform(registry);
    const before = await image.pinned();
    await podman.run(['pull', '--quiet', '--tls-verify=false', image.tagged]);
    await image.move();
    expect((await fromDaemon([image.tagged])).stdout).toBe(`${before}\n`);
    expect(await image.pinned()).not.toBe(before);
  });

  it('says of an image that is not there, or was made here, that it has no digest', async () => {
    const { code, stdout, stderr } = await fromDaemon([MADE_HERE, `${single.name}:none`]);
    expect({ code, stdout }).toEqual({ code: 1, stdout: '' });
    expect(stderr.split('\n')).toEqual([
      expect.stringContaining(`"${MADE_HERE}": it was never pulled or pushed`),
      expect.stringContaining(`"${single.name}:none": the container daemon has no such image`),
      '',
    ]);
  });

  it('lists every image', async () => {
    const { code, stdout } = await fromDaemon([]);
    expect(code).toBe(0);
    const lines = stdout.split('\n').map((line) => line.split(/ {2,}/));
    expect(lines).toContainEqual([single.tagged, await single.pinned()]);
    expect(lines).toContainEqual([index.tagged, await index.pinned()]);
    expect(lines).toContainEqual([`${MADE_HERE}:latest`, 'never pulled or pushed']);
  });
});
