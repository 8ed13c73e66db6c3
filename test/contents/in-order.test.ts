import { describe, expect, it } from '@jest/globals';

import { inOrder } from '../../src/contents/in-order.ts';

function late(item: number): Promise<number> {
  return new Promise((resolve) => setTimeout(resolve, item % 3, item));
}

describe('inOrder()', () => {
  it('gives the answers in the order of the items, however they arrive', async () => {
    const answers: number[] = [];
    for await (const answer of inOrder([1, 2, 3, 4, 5, 6, 7], 3, late)) answers.push(answer);
    expect(answers).toEqual([1, 2, 3, 4, 5, 6, 7]);
  });

  it('asks so many at a time, and the next one when the first has its answer', async () => {
    const release: (() => void)[] = [];
    let most = 0;
    let open = 0;
    const ask = async (): Promise<void> => {
      open += 1;
      most = Math.max(most, open);
      await new Promise<void>((resolve) => release.push(resolve));
      open -= 1;
    };
    const answers = inOrder(Array(20).keys(), 4, ask);
    let count = 0;
    for (let next = answers.next(); ; next = answers.next()) {
      expect(open).toBeLessThanOrEqual(4);
      release.shift()?.();
      // oxlint-disable-next-line no-await-in-loop -- one answer after the other
      if ((await next).done === true) break;
      count += 1;
    }
    expect({ most, count }).toEqual({ most: 4, count: 20 });
  });

  it('gives nothing for nothing', async () => {
    expect(await inOrder([], 4, () => Promise.resolve(1)).next()).toMatchObject({ done: true });
  });
});
