import { describe, expect, it } from '@jest/globals';
import type { Authorizer } from '../../src/registry/token.ts';
import type { Journey, Route } from '../../src/resolve/route.ts';
import { createStopwatch } from '../../src/resolve/stopwatch.ts';

describe('createStopwatch()', () => {
  it('tells each of two look-ups at a time how long it waited for tokens', async () => {
    let nowMs = 0;
    const { route, authorizer } = createStopwatch(() => nowMs);
    const turn = Promise.withResolvers<void>();
    const asked = authorizer({
      answer: async () => {
        await turn.promise;
        return 'Bearer';
      },
    } as unknown as Authorizer);
    const timed = route({
      lookup: async ({ wanted }: Journey) => {
        if (wanted()) await asked.answer({} as never, []);
        await asked.answer({} as never, []);
      },
    } as unknown as Route);
    const times = [{ tokenMs: 0 }, { tokenMs: 0 }];
    const lookUps = times.map((one, index) => {
      nowMs += 10;
      return timed.lookup({ times: one, wanted: () => index === 0 } as unknown as Journey);
    });
    nowMs = 100;
    turn.resolve();
    await Promise.all(lookUps);
    expect(times).toEqual([{ tokenMs: 90 }, { tokenMs: 80 }]);
  });
});
