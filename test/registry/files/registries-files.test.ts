import { describe, expect, it } from '@jest/globals';

import { normalizedName, parseReference } from '../../../src/image/reference.ts';
import {
  createRegistriesConf,
  type RegistriesConf,
} from '../../../src/registry/files/registries-files.ts';
import { Files } from '../../support/files.ts';
import { createRecordedLog } from '../../support/recorded-log.ts';

function rule(prefix: string, location: string, more = ''): string {
  return `[[registry]]\nprefix = "${prefix}"\nlocation = "${location}"\n${more}\n`;
}

function places(conf: RegistriesConf, image: string): string[] | undefined {
  return conf.placesOf(parseReference(image))?.map(({ reference }) => normalizedName(reference));
}

describe('createRegistriesConf()', () => {
  it('reads the file and the drop-ins beside it, in the order of their names', async () => {
    await using files = new Files();
    const file = files.write('registries.conf', rule('a.com', 'main.com') + rule('b.com', 'b.com'));
    files.write('registries.conf.d/20.conf', rule('a.com', 'twenty.com'));
    files.write('registries.conf.d/10.conf', rule('a.com', 'ten.com') + rule('c.com', 'ten.com'));
    files.write('registries.conf.d/30.toml', 'not even TOML =');
    files.write('registries.conf.d/40.conf/50.conf', 'nor this =');
    const conf = createRegistriesConf(file, createRecordedLog().log);
    expect(places(conf, 'a.com/x')).toEqual(['twenty.com/x']);
    expect(places(conf, 'b.com/x')).toEqual(['b.com/x']);
    expect(places(conf, 'c.com/x')).toEqual(['ten.com/x']);
    expect(places(conf, 'd.com/x')).toBeUndefined();
  });

  it('says which file blocks an image', async () => {
    await using files = new Files();
    const file = files.write('registries.conf', '');
    const dropIn = files.write(
      'registries.conf.d/a.conf',
      rule('a.com', 'a.com', 'blocked = true'),
    );
    const conf = createRegistriesConf(file, createRecordedLog().log);
    expect(() => places(conf, 'a.com/team/app')).toThrow(
      expect.objectContaining({
        code: 'blocked_address',
        message: `a.com is not asked: ${dropIn} blocks "a.com"`,
        host: 'a.com',
      }),
    );
  });

  it('sees changes of the file, of a drop-in, and drop-ins that come and go', async () => {
    await using files = new Files();
    const file = files.write('registries.conf', rule('a.com', 'one.com'));
    const conf = createRegistriesConf(file, createRecordedLog().log);
    expect(places(conf, 'a.com/x')).toEqual(['one.com/x']);
    files.write('registries.conf', rule('a.com', 'two.com'));
    expect(places(conf, 'a.com/x')).toEqual(['two.com/x']);
    files.write('registries.conf.d/a.conf', rule('a.com', 'three.com'));
    expect(places(conf, 'a.com/x')).toEqual(['three.com/x']);
    files.write('registries.conf.d/a.conf', rule('a.com', 'four.com'));
    expect(places(conf, 'a.com/x')).toEqual(['four.com/x']);
    files.remove('registries.conf.d/a.conf');
    expect(places(conf, 'a.com/x')).toEqual(['two.com/x']);
  });

  it('keeps the last good version, warns once a change, and takes the mended one', async () => {
    await using files = new Files();
    const { log, lines } = createRecordedLog();
    const file = files.write('registries.conf', rule('a.com', 'good.com'));
    const conf = createRegistriesConf(file, log);
    for (const broken of ['broken =', '[[registry]]\nblocked = true']) {
      files.write('registries.conf', broken);
      expect(places(conf, 'a.com/x')).toEqual(['good.com/x']);
      expect(places(conf, 'a.com/x')).toEqual(['good.com/x']);
    }
    files.remove('registries.conf');
    expect(places(conf, 'a.com/x')).toEqual(['good.com/x']);
    expect(lines).toHaveLength(3);
    expect(lines[0]).toMatch(/^warn registries\.conf not used .*line 1, column 9 is no TOML/);
    expect(lines[1]).toContain('neither prefix nor location');
    files.write('registries.conf', rule('a.com', 'mended.com'));
    expect(places(conf, 'a.com/x')).toEqual(['mended.com/x']);
    expect(lines).toHaveLength(3);
  });

  it.each([
    ['is malformed', 'broken ='],
    ['is of version 1', '[registries.search]\nregistries = ["a.com"]'],
    ['is not there', undefined],
  ])('does not start where the file %s', async (_what, text) => {
    await using files = new Files();
    if (text !== undefined) files.write('registries.conf', text);
    const file = files.at('registries.conf');
    expect(() => createRegistriesConf(file, createRecordedLog().log)).toThrow(
      expect.objectContaining({
        code: 'invalid_config',
        message: expect.stringContaining(`Cannot use ${file}`),
      }),
    );
  });

  it('does not start where a drop-in is malformed', async () => {
    await using files = new Files();
    const file = files.write('registries.conf', '');
    const dropIn = files.write('registries.conf.d/a.conf', 'broken =');
    expect(() => createRegistriesConf(file, createRecordedLog().log)).toThrow(
      `Cannot use ${dropIn}`,
    );
  });
});
