import { beforeAll, describe, expect, it } from '@jest/globals';

import { createAuthorities } from '../../../src/registry/files/registry-authorities.ts';
import { createAuthority } from '../../support/certificate.ts';
import { Files } from '../../support/files.ts';
import { createRecordedLog } from '../../support/recorded-log.ts';

let one: string;
let two: string;

beforeAll(async () => {
  one = (await createAuthority()).certificate;
  two = (await createAuthority()).certificate;
});

describe('createAuthorities()', () => {
  it.each([
    ['r.example.com', 'https://r.example.com/v2/', true],
    ['r.example.com', 'https://r.example.com:5000/', false],
    ['r.example.com', 'https://sub.r.example.com/', false],
    ['r.example.com:443', 'https://r.example.com/', true],
    ['R.Example.com:5000', 'https://r.example.com:5000/', true],
    ['r.example.com:5000', 'https://r.example.com/', false],
    ['10.1.2.3:5000', 'https://10.1.2.3:5000/', true],
    ['[fc00::1]:5000', 'https://[fc00::1]:5000/', true],
  ])('%s=FILE is about %s: %s', async (host, url, holds) => {
    await using files = new Files();
    const find = createAuthorities(
      [`${host}=${files.write('ca.pem', one)}`],
      createRecordedLog().log,
    );
    expect(find(new URL(url))?.ca.length).toBe(holds ? 1 : undefined);
  });

  it('adds up the files of one host', async () => {
    await using files = new Files();
    const items = [one, two].map((text, n) => `r.example.com=${files.write(`${n}.pem`, text)}`);
    const find = createAuthorities(items, createRecordedLog().log);
    expect(find(new URL('https://r.example.com/'))?.ca).toHaveLength(2);
  });

  it('reads a file again when it has changed, and keeps the last good one', async () => {
    await using files = new Files();
    const { log, lines } = createRecordedLog();
    const file = files.write('ca.pem', one);
    const find = createAuthorities([`r.example.com=${file}`], log);
    const id = (): string | undefined => find(new URL('https://r.example.com/'))?.id;
    const first = id();
    files.write('ca.pem', two);
    const second = id();
    expect(second).not.toBe(first);
    files.write('ca.pem', 'broken');
    expect([id(), id()]).toEqual([second, second]);
    files.remove('ca.pem');
    expect(id()).toBe(second);
    expect(lines).toHaveLength(2);
    expect(lines[0]).toMatch(/^warn authorities not used .*it holds no PEM certificate/);
    files.write('ca.pem', one);
    expect(id()).toBe(first);
    expect(lines).toHaveLength(2);
  });

  it.each([
    ['r.example.com=/nowhere/ca.pem', 'Cannot read /nowhere/ca.pem'],
    [`r.example.com=${import.meta.filename}`, 'it holds no PEM certificate'],
    ['r.example.com/path=/ca.pem', '"r.example.com/path" is no host with a port'],
    ['https://r.example.com=/ca.pem', '"https://r.example.com" is no host with a port'],
    ['*.example.com=/ca.pem', '"*.example.com" is no host with a port'],
    ['r.example.com:5000x=/ca.pem', 'is no host with a port'],
  ])('does not start with %s', (item, message) => {
    expect(() => createAuthorities([item], createRecordedLog().log)).toThrow(
      expect.objectContaining({
        code: 'invalid_config',
        message: expect.stringContaining(message),
      }),
    );
  });
});
