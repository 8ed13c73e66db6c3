import { setTimeout as delay } from 'node:timers/promises';

import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';

import { startDistribution } from './support/distribution.ts';
import { readEnvironment } from './support/environment.ts';
import { LiveDeployment } from './support/live-deployment.ts';
import { TestImage } from './support/test-image.ts';
import { Webhook } from './support/webhook.ts';

const environment = readEnvironment();
const { registry } = environment;

/** With the cache as it is by default: a restart must not be answered from it. */
let webhook: Webhook;

beforeAll(async () => {
  webhook = new Webhook(environment, ['--plain-http=127.0.0.1:*']);
  await webhook.start();
});
afterAll(() => webhook.stop());

describe('kubectl rollout restart', () => {
  it('while the tag stands still, then it moves: each undo gives the old digest back', async () => {
    const web = await LiveDeployment.apply(environment);
    const pinned = await web.webImage();
    await web.restart();
    expect(await web.webImage()).toBe(pinned);
    await web.image.move();

    await web.undo();
    expect(await web.webImage()).toBe(pinned);
    await web.undo();
    expect(await web.webImage()).toBe(pinned);
    expect(await web.revisions()).toBe(2);
  });

  it('takes what was pushed 3 s before, though a digest is fresh for a minute', async () => {
    const web = await LiveDeployment.apply(environment);
    await web.image.move();
    await delay(3000);

    await web.restart();

    expect(await web.webImage()).toBe(await web.image.pinned());
    expect(await web.revisions()).toBe(2);
  });

  it('from two time zones takes the digest of each time', async () => {
    const web = await LiveDeployment.apply(environment);
    for (const [revision, zone] of ['Pacific/Auckland', 'America/Los_Angeles'].entries()) {
      await web.image.move();

      await web.restart(zone);

      expect(await web.webImage()).toBe(await web.image.pinned());
      expect(await web.revisions()).toBe(revision + 2);
    }
  });

  it.each([
    ['set by hand', (image: string) => image.replace(/:1@/, '@')],
    ['written as tag and digest', (image: string) => image],
  ])('leaves a digest alone that was %s', async (_how, spelled) => {
    const web = await LiveDeployment.apply(environment);
    const other = await TestImage.ofOnePlatform(registry);
    const digest = spelled(`${other.tagged}@${await other.digest()}`);
    await web.kubectl.apply(web.manifest({ image: digest }));
    await other.move();

    await web.restart();

    expect((await web.pins()).images).toEqual({ web: digest });
  });

  it('that nobody answered is not made up for by a label edit, and the next one is answered', async () => {
    const web = await LiveDeployment.apply(environment);
    const pinned = await web.webImage();
    await webhook.stop();
    await web.restart();
    await web.image.move();
    await webhook.start();

    await web.patchTemplate({ metadata: { labels: { edited: 'yes' } } });
    expect(await web.webImage()).toBe(pinned);

    // `kubectl` writes whole seconds, and refuses a restart in the same one.
    await delay(1100);
    await web.restart();
    expect(await web.webImage()).toBe(await web.image.pinned());
  });

  // Mode "warn" keeps what is pinned, and so asks for nothing that it could warn of.
  const modes = [
    ['pin', true],
    ['enforce', true],
    ['warn', false],
  ] as const;

  it.each(modes)(
    'keeps the pin in mode "%s" when its tag is not there any more',
    async (mode, warns) => {
      const web = await LiveDeployment.apply(environment);
      const pinned = await web.webImage();
      await web.changeMode(mode);
      await web.image.untag();

      const { stderr } = await web.restart();

      expect(await web.webImage()).toBe(pinned);
      expect(stderr.includes('(not found)')).toBe(warns);
      expect(await web.revisions()).toBe(2);
    },
  );

  it.each(modes)(
    'keeps the pin in mode "%s" when its registry does not answer',
    async (mode, warns) => {
      const mortal = await startDistribution({
        name: `mortal-${mode}`,
        directory: environment.directory,
        config: { storage: { inmemory: {} } },
      });
      const web = await LiveDeployment.apply({ ...environment, registry: mortal });
      const pinned = await web.webImage();
      await web.changeMode(mode);
      await mortal.stop();

      const { stderr } = await web.restart();

      expect(await web.webImage()).toBe(pinned);
      expect(stderr.includes(mortal.host)).toBe(warns);
      expect(await web.revisions()).toBe(2);
    },
  );
});

describe('a change of a pinned template', () => {
  it('gives an added container with the same tag the digest of its sibling', async () => {
    const web = await LiveDeployment.apply(environment);
    const pinned = await web.webImage();
    await web.image.move();

    await web.patchTemplate({
      spec: { containers: [{ name: 'second', image: web.image.tagged }] },
    });

    expect((await web.pins()).images).toEqual({ web: pinned, second: pinned });
  });

  it('looks up another tag that kubectl set image names, and not the one that is there', async () => {
    const web = await LiveDeployment.apply(environment);
    const pinned = await web.webImage();
    const other = await TestImage.ofOnePlatform(registry, '2');
    await web.image.move();

    await web.kubectl.run(['set', 'image', 'deployment/web', `web=${web.image.tagged}`]);
    expect(await web.webImage()).toBe(pinned);
    expect(await web.revisions()).toBe(1);

    await web.kubectl.run(['set', 'image', 'deployment/web', `web=${other.tagged}`]);
    expect(await web.webImage()).toBe(await other.pinned());
    expect(await web.revisions()).toBe(2);
  });
});

describe('kubectl run', () => {
  it('makes a Pod with the digest of its tag', async () => {
    const web = await LiveDeployment.apply(environment);

    await web.kubectl.run(['run', 'once', `--image=${web.image.tagged}`, '--restart=Never']);

    const { stdout } = await web.kubectl.run([
      'get',
      'pod',
      'once',
      '-o=jsonpath={.spec.containers[0].image}',
    ]);
    expect(stdout).toBe(await web.image.pinned());
  });
});
