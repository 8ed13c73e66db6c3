import { describe, expect, it } from '@jest/globals';

import { parseReference } from '../../src/image/reference.ts';
import { createGuard } from '../../src/registry/guard.ts';
import { createHosts } from '../../src/registry/hosts.ts';
import { createLoopbackHttp } from '../../src/registry/loopback-http.ts';

const speaksHttp = createLoopbackHttp(['localhost:5001', 'secure.localhost']);

describe('createLoopbackHttp()', () => {
  it.each([
    ['localhost/a', 'http://localhost'],
    ['localhost:5000/a', 'http://localhost:5000'],
    ['registry.localhost:5000/a', 'http://registry.localhost:5000'],
    ['127.0.0.1:5000/a', 'http://127.0.0.1:5000'],
    ['127.8.0.1/a', 'http://127.8.0.1'],
    ['[::1]:5000/a', 'http://[::1]:5000'],
    ['localhost:443/a', 'https://localhost'],
    ['localhost:5001/a', 'https://localhost:5001'],
    ['secure.localhost/a', 'https://secure.localhost'],
    ['127.0.0.1.example.com/a', 'https://127.0.0.1.example.com'],
    ['127.example.com:5000/a', 'https://127.example.com:5000'],
    ['notlocalhost:5000/a', 'https://notlocalhost:5000'],
    ['localhost.example.com/a', 'https://localhost.example.com'],
    ['10.0.0.1:5000/a', 'https://10.0.0.1:5000'],
  ])('asks for %s at %s, as the guard lets it', (image, origin) => {
    const place = createHosts([], speaksHttp)(parseReference(image));
    expect(place.origin).toBe(origin);
    const options = { plainHttp: [], allowAddress: ['127.0.0.0/8', '::1/128'] };
    const { checkUrl } = createGuard({ ...options, allowRegistry: ['*:*'], speaksHttp });
    expect(() => checkUrl(new URL(origin))).not.toThrow();
  });

  it('lets nobody else go without TLS', () => {
    const guard = createGuard({
      plainHttp: [],
      allowRegistry: ['*:*'],
      allowAddress: [],
      speaksHttp,
    });
    for (const url of ['http://10.0.0.1/', 'http://example.com/', 'http://localhost:5001/']) {
      expect(() => guard.checkUrl(new URL(url))).toThrow('--plain-http');
    }
  });
});
