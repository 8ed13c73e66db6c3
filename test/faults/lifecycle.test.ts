import { describe, expect, it } from '@jest/globals';

import {
  INDEX_DIGEST,
  OTHER_DIGEST,
  told,
  unauthorized,
  withAuthorization,
} from '../support/answers.ts';
import { annotationsOf, DEPLOYMENT, imagesOf, objectOf, POD, specOf } from '../support/review.ts';
import { inWorld, type Place } from '../support/world.ts';
import { REGCRED, startTagpinIn } from '../support/world-process.ts';

const ASKS = unauthorized('Basic realm="r"');

function specWith(images: Readonly<Record<string, unknown>>): Record<string, unknown> {
  return { imagePullSecrets: [{ name: REGCRED }], ...specOf(images) };
}

/** To each authorized request another digest than to the one before. */
function restless(registry: Place): string[] {
  const digests = Array.from(
    { length: 20 },
    (_, n) => `sha256:${n.toString(16).padStart(64, '0')}`,
  );
  const rules = digests.map((digest) => ({
    ...withAuthorization(registry.basic, told(digest)),
    times: 1,
  }));
  registry.answer(...rules, ASKS);
  return digests;
}

describe('a review, from its beginning to the end of the process', () => {
  it(
    'fault 57: a tag moves between two containers of one Pod → one digest for both; the same on reinvocation and dry run',
    inWorld(async (world) => {
      const registry = await world.place();
      const [first = ''] = restless(registry);
      const tagpin = await startTagpinIn(world, [registry], ['--cache-ttl=0s']);
      const images = { a: registry.image, b: registry.image, c: registry.image };
      const object = objectOf(POD, { spec: specWith(images) });
      const pinned = `${registry.host}/team/app@${first}`;
      const answer = await tagpin.review(POD, { object });
      expect(imagesOf(POD, answer.object)).toEqual({ a: pinned, b: pinned, c: pinned });
      const again = await tagpin.review(POD, { object: answer.object });
      expect(again.patch).toEqual([]);
      const dry = await tagpin.review(POD, { object: answer.object, more: { dryRun: true } });
      expect(dry.patch).toEqual([]);
      expect(registry.requests).toHaveLength(2);
    }),
    15_000,
  );

  it(
    'fault 58: 50 images, half of them on a host that hangs → answered within the deadline, each with its own outcome',
    inWorld(async (world) => {
      const [alive, dead] = [await world.place(), await world.place()];
      alive.answer(withAuthorization(alive.basic), ASKS);
      dead.answer({ fault: 'silence' });
      const tagpin = await startTagpinIn(world, [alive, dead]);
      // A host that has answered keeps places of its own in a namespace.
      await tagpin.review(POD, { object: objectOf(POD, { spec: specWith({ web: alive.image }) }) });
      const images = Object.fromEntries(
        Array.from({ length: 50 }, (_, n) => [
          `c${n}`,
          `${n < 25 ? dead.host : alive.host}/team/app:${n}`,
        ]),
      );
      const object = objectOf(POD, { spec: specWith(images) });
      const answer = await tagpin.review(POD, { object }, { timeout: '3s' });
      expect(answer.allowed).toBe(true);
      expect(imagesOf(POD, answer.object)).toEqual(
        Object.fromEntries(
          Object.entries(images).map(([name, image]) => [
            name,
            image.startsWith(dead.host) ? image : `${alive.host}/team/app@${INDEX_DIGEST}`,
          ]),
        ),
      );
      const reasons = Array.from({ length: 25 }, (_, n) => [`c${n}`, 'deadline_exceeded']);
      const mark = annotationsOf(POD, answer.object)['tagpin.dev/unpinned'];
      expect(JSON.parse(String(mark))).toEqual(Object.fromEntries(reasons));
    }),
    15_000,
  );

  it(
    'fault 69: SIGTERM during look-ups → those reviews are answered, the process ends with 0',
    inWorld(async (world) => {
      const registry = await world.place();
      const held = Promise.withResolvers<void>();
      registry.answer({ ...withAuthorization(registry.basic), hold: held.promise }, ASKS);
      const { running, review } = await startTagpinIn(world, [registry]);
      const object = objectOf(POD, { spec: specWith({ web: registry.image }) });
      const answer = review(POD, { object });
      await registry.received(2);
      running.signal('SIGTERM');
      await running.logged(({ msg }) => msg === 'draining');
      held.resolve();
      expect(imagesOf(POD, (await answer).object)).toEqual({
        web: `${registry.host}/team/app@${INDEX_DIGEST}`,
      });
      const { code, stdout, stderr } = await running.ended;
      expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
      // Nothing keeps the event loop: the process ended by itself, before its connections could idle out.
      expect(stdout).toContain('"msg":"stopped"');
    }),
    15_000,
  );

  it(
    'fault 70: another digest with every HEAD → one a review, the cache holds it, and no review of what is pinned changes it',
    inWorld(async (world) => {
      const registry = await world.place();
      const [first = ''] = restless(registry);
      const tagpin = await startTagpinIn(world, [registry]);
      const object = objectOf(DEPLOYMENT, {
        spec: specWith({ web: registry.image, side: registry.image }),
      });
      const pinned = `${registry.host}/team/app@${first}`;
      const created = await tagpin.review(DEPLOYMENT, { object });
      expect(imagesOf(DEPLOYMENT, created.object)).toEqual({ web: pinned, side: pinned });
      // Within the time of the cache another Pod of the same tag has the same digest.
      const pod = objectOf(POD, { spec: specWith({ web: registry.image }) });
      const other = await tagpin.review(POD, { object: pod });
      expect(imagesOf(POD, other.object)).toEqual({ web: pinned });
      for (let round = 0; round < 5; round += 1) {
        // oxlint-disable-next-line no-await-in-loop -- each is a review of what came before
        const again = await tagpin.review(DEPLOYMENT, { object: created.object });
        expect(again.patch).toEqual([]);
        // oxlint-disable-next-line no-await-in-loop -- as above
        const applied = await tagpin.review(DEPLOYMENT, { object, oldObject: created.object });
        expect(imagesOf(DEPLOYMENT, applied.object)).toEqual({ web: pinned, side: pinned });
      }
      expect(registry.requests).toHaveLength(2);
      expect(first).not.toBe(OTHER_DIGEST);
    }),
    15_000,
  );
});
