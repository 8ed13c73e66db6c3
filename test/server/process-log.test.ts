import { execFileSync } from 'node:child_process';

import { describe, expect, it } from '@jest/globals';

/** What a process writes that ends as soon as it has logged, in the given way. */
function written(level: string, calls: string, ending = 'await end();'): Record<string, unknown>[] {
  const source = new URL('../../src/server/process-log.ts', import.meta.url).href;
  const script = `
    import { createLog } from ${JSON.stringify(source)};
    const { log, end } = createLog(${JSON.stringify(level)});
    ${calls}
    setImmediate(async () => {
      log.error({}, 'the last');
      ${ending}
      process.exit(0);
    });`;
  const args = ['--input-type=module', '--eval', script];
  const text = execFileSync(process.execPath, args, { encoding: 'utf8' });
  const lines = text.split('\n').map((line): unknown => (line === '' ? '' : JSON.parse(line)));
  return lines as Record<string, unknown>[];
}

/** Ends every output: nothing was left behind. */
const LAST = [expect.objectContaining({ level: 50, msg: 'the last' }), ''];

describe('createLog()', () => {
  it('writes JSON lines with the time, and all of them before the end', () => {
    const calls = "log.info({ n: 1 }, 'one'); log.warn({ n: 2 }, 'two'); log.error({}, 'three');";
    expect(written('info', calls)).toEqual([
      { level: 30, time: expect.stringMatching(/^20.*Z$/), n: 1, msg: 'one' },
      { level: 40, time: expect.any(String), n: 2, msg: 'two' },
      { level: 50, time: expect.any(String), msg: 'three' },
      ...LAST,
    ]);
  });

  it('leaves out what is less severe than its level', () => {
    const calls = "log.info({}, 'one'); log.warn({}, 'two'); log.error({}, 'three');";
    expect(written('warn', calls)).toMatchObject([{ msg: 'two' }, { msg: 'three' }, ...LAST]);
    expect(written('silent', calls)).toEqual(['']);
  });

  it('makes one line of a field with line ends', () => {
    const calls = "log.info({ name: 'a\\nb' }, 'one');";
    expect(written('info', calls)).toMatchObject([{ name: 'a\nb' }, ...LAST]);
  });

  it('loses nothing where a process dies of a defect, without an end', () => {
    expect(written('info', "log.info({}, 'one');", '')).toMatchObject([{ msg: 'one' }, ...LAST]);
  });

  it('never writes a line into another one, which a pipe takes in pieces', () => {
    const calls = "log.info({ long: 'x'.repeat(1_000_000) }, 'one'); log.info({}, 'two');";
    expect(written('info', calls)).toMatchObject([{ msg: 'one' }, { msg: 'two' }, ...LAST]);
  });
});
