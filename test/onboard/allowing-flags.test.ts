import { describe, expect, it } from '@jest/globals';

import { PinError, toPinError } from '../../src/errors.ts';
import { allowingFlags } from '../../src/onboard/allowing-flags.ts';
import { createGuard } from '../../src/registry/guard.ts';

const guard = createGuard({ plainHttp: [], allowRegistry: [], allowAddress: [] });

/** What the guard of the webhook says of a URL. */
function refusalOf(url: string): PinError {
  try {
    guard.checkUrl(new URL(url));
  } catch (caught) {
    return toPinError(caught);
  }
  throw new Error(`${url} was not refused`);
}

describe('allowingFlags()', () => {
  it.each([
    [
      'a port',
      ['https://registry.corp.example:5000/'],
      '--allow-registry registry.corp.example:5000',
    ],
    ['a private address', ['https://10.1.2.3/'], '--allow-registry 10.1.2.3'],
    ['loopback', ['https://127.0.0.1/'], '--allow-address 127.0.0.0/8,::1/128'],
    ['http', ['http://registry.corp.example/'], '--plain-http registry.corp.example'],
    [
      'several, each once and by flag',
      [
        'https://b.example:5000/',
        'http://c.example/',
        'https://a.example:5000/',
        'https://b.example:5000/v2/',
      ],
      '--allow-registry a.example:5000,b.example:5000 --plain-http c.example',
    ],
    ['a metadata service', ['https://169.254.169.254/'], undefined],
    ['nothing', [], undefined],
  ])('names what allows %s', (_, urls, flags) => {
    expect(allowingFlags(urls.map(refusalOf))).toBe(flags);
  });

  it('reads no flag in what others say', () => {
    const error = new PinError('tls_failed', 'x does not speak TLS (--plain-http x allows http)');
    expect(allowingFlags([error])).toBeUndefined();
  });
});
