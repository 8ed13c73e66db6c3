import { execFileSync } from 'node:child_process';

import { describe, expect, it } from '@jest/globals';

import { PinError } from '../src/errors.ts';
import { describeError } from '../src/log.ts';

/** What a process writes that ends as soon as it has logged. */
function written(level: string, calls: string): Record<string, unknown>[] {
  const source = new URL('../src/log.ts', import.meta.url).href;
  const script = `
    import { createLog } from ${JSON.stringify(source)};
    const { log, flush } = createLog(${JSON.stringify(level)});
    process.on('exit', flush);
    setImmediate(() => { ${calls} });`;
  const args = ['--input-type=module', '--eval', script];
  const text = execFileSync(process.execPath, args, { encoding: 'utf8' });
  return text
    .split('\n')
    .filter((line) => line !== '')
    .map((line): Record<string, unknown> => JSON.parse(line));
}

describe('createLog()', () => {
  it('writes JSON lines with the time, and all of them before the end', () => {
    const calls = "log.info({ n: 1 }, 'one'); log.warn({ n: 2 }, 'two'); log.error({}, 'three');";
    expect(written('info', calls)).toEqual([
      { level: 30, time: expect.stringMatching(/^20.*Z$/), n: 1, msg: 'one' },
      { level: 40, time: expect.any(String), n: 2, msg: 'two' },
      { level: 50, time: expect.any(String), msg: 'three' },
    ]);
  });

  it('leaves out what is less severe than its level', () => {
    const calls = "log.info({}, 'one'); log.warn({}, 'two'); log.error({}, 'three');";
    expect(written('warn', calls).map(({ msg }) => msg)).toEqual(['two', 'three']);
    expect(written('silent', calls)).toEqual([]);
  });

  it('makes one line of a field with line ends', () => {
    expect(written('info', "log.info({ name: 'a\\nb' }, 'one');")).toMatchObject([
      { name: 'a\nb' },
    ]);
  });
});

describe('describeError()', () => {
  it('tells the chain of causes with their codes', () => {
    const refused = Object.assign(new Error('connect refused'), { code: 'ECONNREFUSED' });
    const cause = new TypeError('fetch failed', { cause: refused });
    const error = new PinError('unavailable', 'registry.example.com refuses connections', {
      cause,
    });
    expect(describeError(error)).toEqual({
      error:
        'PinError: registry.example.com refuses connections [unavailable] <- TypeError: fetch failed <- Error: connect refused [ECONNREFUSED]',
    });
  });

  it('tells at most five of them, so that a circle has an end', () => {
    const circle = new Error('round');
    circle.cause = circle;
    expect(describeError(circle)).toEqual({
      error: Array.from({ length: 5 }, () => 'Error: round').join(' <- '),
    });
  });

  it.each([
    ['a text', 'a text'],
    [undefined, 'undefined'],
    [42, '42'],
  ])('tells %p, which is no error, as text', (thrown, text) => {
    expect(describeError(thrown)).toEqual({ error: text });
  });
});
