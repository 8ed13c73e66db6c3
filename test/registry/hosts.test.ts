import { describe, expect, it } from '@jest/globals';

import { parseReference } from '../../src/image/reference.ts';
import { createGuard } from '../../src/registry/guard.ts';
import { createHosts } from '../../src/registry/hosts.ts';

describe('createHosts()', () => {
  it.each([
    ['nginx', 'https://registry-1.docker.io', 'docker.io'],
    ['index.docker.io/team/app', 'https://registry-1.docker.io', 'docker.io'],
    ['ghcr.io/team/app', 'https://ghcr.io', 'ghcr.io'],
    ['GHCR.io/team/app', 'https://ghcr.io', 'GHCR.io'],
    ['r.example.com:443/app', 'https://r.example.com', 'r.example.com:443'],
    ['r.example.com:5000/app', 'https://r.example.com:5000', 'r.example.com:5000'],
    ['10.0.0.1:5000/app', 'https://10.0.0.1:5000', '10.0.0.1:5000'],
    ['[fc00::1]:5000/app', 'https://[fc00::1]:5000', '[fc00::1]:5000'],
    ['plain.example.com/app', 'http://plain.example.com', 'plain.example.com'],
    ['plain.example.com:80/app', 'http://plain.example.com', 'plain.example.com:80'],
    ['Plain.example.com:8080/app', 'http://plain.example.com:8080', 'Plain.example.com:8080'],
    ['plain.example.com:8081/app', 'https://plain.example.com:8081', 'plain.example.com:8081'],
    ['eighty.example.com/app', 'http://eighty.example.com', 'eighty.example.com'],
    ['a.glob.example.com/app', 'http://a.glob.example.com', 'a.glob.example.com'],
    ['a.glob.example.com:81/app', 'https://a.glob.example.com:81', 'a.glob.example.com:81'],
    ['a.ports.example.com:81/app', 'http://a.ports.example.com:81', 'a.ports.example.com:81'],
  ])('asks for %s at %s', (image, origin, registry) => {
    const plainHttp = [
      'plain.example.com',
      'PLAIN.example.com:8080',
      'eighty.example.com:80',
      '*.glob.example.com',
      '*.ports.example.com:*',
    ];
    expect(createHosts(plainHttp)(parseReference(image))).toMatchObject({
      origin,
      registry,
      root: '/v2',
      isRegistry: true,
    });
  });

  it.each([
    '2130706433:5000/a',
    '0x7f.1/a',
    '017700000001.1/a',
    '127.1/a',
    '1.2.3.256/a',
    'r.example.com:65536/a',
    '[fc00:0::1]/a',
  ])('refuses %s, which a URL would rewrite', (image) => {
    expect(() => createHosts([])(parseReference(image))).toThrow(
      expect.objectContaining({ name: 'PinError', code: 'blocked_address' }),
    );
  });

  it.each(['*.corp.example', '*.corp.example:*', 'r.corp.example:5000', '*'])(
    'speaks http with whatever the guard lets speak http, and with nobody else: %s',
    (glob) => {
      const { checkUrl } = createGuard({ plainHttp: [glob], allowRegistry: [], allowAddress: [] });
      const allows = (url: string): boolean => {
        try {
          checkUrl(new URL(url));
          return true;
        } catch {
          return false;
        }
      };
      for (const host of [
        'r.corp.example',
        'r.corp.example:5000',
        'r.corp.example:80',
        'other.io',
      ]) {
        const { origin } = createHosts([glob])(parseReference(`${host}/app`));
        expect(`${host} ${origin.startsWith('http:')}`).toBe(
          `${host} ${allows(`http://${host}/`)}`,
        );
      }
    },
  );
});
