import { describe, expect, it } from '@jest/globals';

import { runTagpin } from '../test/support/process.ts';
import { readEnvironment } from './support/environment.ts';
import { TestImage } from './support/test-image.ts';

const { registry, privateRegistry } = readEnvironment();

describe('tagpin resolve', () => {
  it('prints what crane does, for images of one platform and for indexes of both formats', async () => {
    const images = await Promise.all([
      TestImage.ofOnePlatform(registry),
      TestImage.ofTwoPlatforms(registry, 'oci'),
      TestImage.ofTwoPlatforms(registry, 'docker'),
    ]);
    const { code, stdout } = await runTagpin(['resolve', ...images.map(({ tagged }) => tagged)]);
    const wanted = await Promise.all(images.map((image) => image.pinned()));
    expect({ code, lines: stdout.trim().split('\n') }).toEqual({ code: 0, lines: wanted });
  });

  it('opens a private registry with the password of its account', async () => {
    const image = await TestImage.ofOnePlatform(privateRegistry);
    const { username = '', password = '' } = privateRegistry.account ?? {};
    const args = ['resolve', `--username=${username}`, '--password-stdin', image.tagged];
    const [opened, refused] = await Promise.all([
      runTagpin(args, {}, password),
      runTagpin(['resolve', image.tagged], { HOME: '/nonexistent' }),
    ]);
    expect(opened).toEqual({ code: 0, stdout: `${await image.pinned()}\n`, stderr: '' });
    expect(refused).toMatchObject({ code: 1, stdout: '' });
    expect(refused.stderr).toContain('[unauthorized]');
  });
});
