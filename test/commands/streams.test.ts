import { open } from 'node:fs/promises';
import { WriteStream } from 'node:tty';

import { describe, expect, it } from '@jest/globals';

import { showsColours } from '../../src/commands/streams.ts';
import { runTagpinInto } from '../support/process.ts';

/** Asks the environment alone, as a terminal does; no terminal is needed for that. */
const TERMINAL = Object.assign(Object.create(WriteStream.prototype) as WriteStream, {
  isTTY: true,
});

describe('showsColours()', () => {
  it.each([
    ['a terminal with colours', { TERM: 'xterm-256color' }, true],
    ['NO_COLOR', { TERM: 'xterm', NO_COLOR: '1' }, false],
    ['NO_COLOR whatever it says', { TERM: 'xterm', NO_COLOR: '0' }, false],
    ['an empty NO_COLOR, which says nothing', { TERM: 'xterm', NO_COLOR: '' }, true],
    ['FORCE_COLOR=0', { TERM: 'xterm', FORCE_COLOR: '0' }, false],
    ['NODE_DISABLE_COLORS', { TERM: 'xterm', NODE_DISABLE_COLORS: '1' }, false],
    ['a terminal that obeys nothing', { TERM: 'dumb' }, false],
    ['FORCE_COLOR over that', { TERM: 'dumb', FORCE_COLOR: '1' }, true],
  ])('%s', (_, environment, colours) => {
    expect(showsColours(TERMINAL, environment)).toBe(colours);
  });

  it('shows none where no terminal is, even if they are forced', () => {
    const file = { isTTY: false, hasColors: () => true };
    expect(showsColours(file, { FORCE_COLOR: '1' })).toBe(false);
  });
});

describe('tagpin > /dev/full', () => {
  it('says that its output cannot be written, and why', async () => {
    await using full = await open('/dev/full', 'w');
    const { code, stderr } = await runTagpinInto(full.fd, ['completion', 'bash']);
    expect(stderr).toBe('tagpin: standard output cannot be written: no space is left\n');
    expect(code).toBe(1);
  });
});
