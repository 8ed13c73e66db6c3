import { describe, expect, it } from '@jest/globals';

import { once } from '../../src/audit/once.ts';
import { PinError } from '../../src/errors.ts';

describe('once()', () => {
  it('asks of an image once for each account', async () => {
    const asked: string[] = [];
    const ask = once(async (image: string, account: { readonly name: string }) => {
      asked.push(`${image} ${account.name}`);
      return asked.length;
    });
    const questions = [
      ['a', 'x'],
      ['a', 'x'],
      ['a', 'y'],
      ['b', 'x'],
    ] as const;
    const answers = await Promise.all(questions.map(([image, name]) => ask(image, { name })));
    expect(answers).toEqual([1, 1, 2, 3]);
    expect(asked).toEqual(['a x', 'a y', 'b x']);
  });

  it('takes a failure for an answer, too', async () => {
    const gone = new PinError('not_found', 'gone');
    let asked = 0;
    const ask = once(async (): Promise<string> => {
      asked += 1;
      throw gone;
    });
    expect(await Promise.all([ask('a', {}), ask('a', {})])).toEqual([gone, gone]);
    expect(asked).toBe(1);
  });
});
