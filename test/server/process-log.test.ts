import { execFileSync } from 'node:child_process';

import { describe, expect, it } from '@jest/globals';

/** What a process writes that ends as soon as it has logged, in the given way. */
function written(level: string, calls: string, ending = 'await end();'): Record<string, unknown>[] {
  const source = new URL('../../src/server/process-log.ts', import.meta.url).href;
  const script = `
    import fs from 'node:fs';
    import { setImmediate as turn } from 'node:timers/promises';
    import { createLog } from ${JSON.stringify(source)};
    const { log, lostBytes, end } = createLog(${JSON.stringify(level)});
    ${calls}
    setImmediate(async () => {
      log.error({}, 'the last');
      ${ending}
      process.exit(0);
    });`;
  const args = ['--input-type=module', '--eval', script];
  const how = { encoding: 'utf8', maxBuffer: 16 * 1024 * 1024, timeout: 120_000 } as const;
  const text = execFileSync(process.execPath, args, how);
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

  it('tells the time of each line as Date has it, however the clock goes', () => {
    const times = [0, 7, 42, 999, 1000, 61_005, 1003, -1, 1_790_000_000_123].map(
      (ms) => 1_780_000_000_000 + ms,
    );
    const calls = `
      const { now } = Date;
      for (const ms of ${JSON.stringify(times)}) {
        Date.now = () => ms;
        log.info({}, 'one');
      }
      Date.now = now;`;
    const told = written('info', calls).slice(0, times.length);
    expect(told.map(({ time }) => time)).toEqual(times.map((ms) => new Date(ms).toISOString()));
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

  it('loses what meets a full disk, goes on when there is room, and says how much it was', () => {
    const calls = `
      const { write } = fs;
      fs.write = (...args) => args.at(-1)(Object.assign(new Error('full'), { code: 'ENOSPC' }));
      for (const n of [1, 2]) {
        const before = lostBytes();
        log.error({ n, long: 'x'.repeat(10_000) }, 'lost');
        while (lostBytes() === before) await turn();
      }
      fs.write = write;`;
    expect(written('info', calls)).toEqual([
      // What was begun is ended with a line of its own.
      '',
      {
        level: 40,
        time: expect.any(String),
        lostBytes: expect.any(Number),
        msg: 'log lines lost',
      },
      ...LAST,
    ]);
  });

  it('keeps no more than 4 MiB for a reader that stands still', () => {
    const calls = `
      const { write } = fs;
      const held = [];
      fs.write = (...args) => held.push(args);
      for (let n = 0; n < 10; n += 1) log.error({ long: 'x'.repeat(1_000_000) }, 'one');
      if (lostBytes() < 5_000_000 || lostBytes() > 7_000_000) throw new Error(lostBytes());
      fs.write = write;
      for (const args of held) write(...args);`;
    const lines = written('info', calls);
    expect(lines.filter(({ msg }) => msg === 'one')).toHaveLength(4);
    expect(lines.slice(-3)).toMatchObject([{ msg: 'log lines lost' }, ...LAST]);
  });

  it('ends where nothing can be written, and takes nothing more', () => {
    const calls = `
      const { write } = fs;
      fs.write = (...args) => args.at(-1)(Object.assign(new Error('gone'), { code: 'EPIPE' }));
      log.error({}, 'lost');
      await end();
      log.error({}, 'late');
      await end();
      fs.write = write;`;
    expect(written('info', calls)).toEqual(['']);
  });

  it('never writes a line into another one, which a pipe takes in pieces', () => {
    const calls = "log.info({ long: 'x'.repeat(1_000_000) }, 'one'); log.info({}, 'two');";
    expect(written('info', calls)).toMatchObject([{ msg: 'one' }, { msg: 'two' }, ...LAST]);
  });
});
