import { setTimeout as delay } from 'node:timers/promises';

import type { Random } from '../simulation/random.ts';
import type { SoakTag } from './soak-tag.ts';

const LEAST_PAUSE_MS = 100;
const MOST_PAUSE_MS = 600;
/** Of the changes of a tag. */
const SHARE_TAKEN_AWAY = 0.1;
const LEAST_ABSENCE_MS = 300;
const MOST_ABSENCE_MS = 2500;

/** What was done to tags. */
export interface TagChanges {
  moved: number;
  takenAway: number;
}

/** One tag after the other changes, drawn by chance. */
export async function moveTags(
  tags: readonly SoakTag[],
  random: Random,
  isOver: () => boolean,
): Promise<TagChanges> {
  const changes: TagChanges = { moved: 0, takenAway: 0 };
  const absent = new Map<SoakTag, Promise<void>>();
  while (!isOver()) {
    await delay(LEAST_PAUSE_MS + random.next() * (MOST_PAUSE_MS - LEAST_PAUSE_MS));
    const tag = tags[random.below(tags.length)];
    if (tag === undefined) return changes;
    if (absent.has(tag)) continue;
    if (random.next() < SHARE_TAKEN_AWAY) {
      changes.takenAway += 1;
      const giveBack = await tag.takeAway(random);
      const ms = LEAST_ABSENCE_MS + random.next() * (MOST_ABSENCE_MS - LEAST_ABSENCE_MS);
      const back = delay(ms).then(giveBack);
      absent.set(
        tag,
        back.finally(() => absent.delete(tag)),
      );
    } else {
      changes.moved += 1;
      await tag.move(random);
    }
  }
  await Promise.all(absent.values());
  return changes;
}
