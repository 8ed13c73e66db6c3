import { appendFileSync, readFileSync, symlinkSync, utimesSync, writeFileSync } from 'node:fs';

import { describe, expect, it } from '@jest/globals';

import { PinError } from '../src/errors.ts';
import { createReloaded } from '../src/reloaded.ts';
import { Files } from './support/files.ts';

const LONG_AGO = new Date(0);

/** The text of a file, how often it was read, and the failures that were told. */
function reloadedText(file: string): {
  readonly current: () => string;
  readonly reads: string[];
  readonly failures: string[];
} {
  const reads: string[] = [];
  const failures: string[] = [];
  const current = createReloaded({
    read: (see) => {
      see(file);
      const text = readFileSync(file, 'utf8');
      reads.push(text);
      if (text.startsWith('bad')) throw new PinError('invalid_config', text);
      return text;
    },
    observeFailure: ({ message }) => failures.push(message),
  });
  return { current, reads, failures };
}

describe('createReloaded()', () => {
  it('reads once while nothing changes', async () => {
    await using files = new Files();
    const { current, reads } = reloadedText(files.write('a', 'one'));
    expect([current(), current(), current()]).toEqual(['one', 'one', 'one']);
    expect(reads).toEqual(['one']);
  });

  it.each<[string, (file: string, files: Files) => void]>([
    ['written in place', (file) => writeFileSync(file, 'two')],
    ['longer', (file) => appendFileSync(file, '!')],
    ['replaced', (_file, files) => files.write('a', 'two')],
    [
      'replaced by one of the same size and time',
      (file, files) => {
        files.write('a', 'two');
        utimesSync(file, LONG_AGO, LONG_AGO);
      },
    ],
  ])('reads again what was %s', async (_what, change) => {
    await using files = new Files();
    const file = files.write('a', 'one');
    utimesSync(file, LONG_AGO, LONG_AGO);
    const { current, reads } = reloadedText(file);
    current();
    change(file, files);
    expect(current()).toBe(readFileSync(file, 'utf8'));
    expect(reads).toHaveLength(2);
  });

  it('sees the swap of a directory behind a link, as kubelet swaps a mounted ConfigMap', async () => {
    await using files = new Files();
    files.write('..1/a', 'one');
    files.write('..2/a', 'two');
    symlinkSync('..1', files.at('..data'));
    symlinkSync('..data/a', files.at('a'));
    const { current } = reloadedText(files.at('a'));
    expect(current()).toBe('one');
    files.remove('..data');
    symlinkSync('..2', files.at('..data'));
    expect(current()).toBe('two');
  });

  it('keeps the last good value, and tells each failure once', async () => {
    await using files = new Files();
    const { current, failures } = reloadedText(files.write('a', 'good'));
    current();
    files.write('a', 'bad 1');
    expect([current(), current()]).toEqual(['good', 'good']);
    files.write('a', 'bad 2');
    expect(current()).toBe('good');
    files.remove('a');
    expect(current()).toBe('good');
    expect(failures).toEqual(['bad 1', 'bad 2', expect.stringContaining('ENOENT')]);
    files.write('a', 'better');
    expect(current()).toBe('better');
  });

  it('throws without a last good value, reads only what changed, and recovers', async () => {
    await using files = new Files();
    const { current, reads, failures } = reloadedText(files.write('a', 'bad'));
    for (let n = 0; n < 2; n += 1) expect(current).toThrow('bad');
    expect(reads).toEqual(['bad']);
    expect(failures).toEqual([]);
    files.write('a', 'good');
    expect(current()).toBe('good');
  });
});
