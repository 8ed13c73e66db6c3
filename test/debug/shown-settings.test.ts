import { describe, expect, it } from '@jest/globals';

import { SERVE_SETTINGS } from '../../src/config.ts';
import { shownSettings } from '../../src/debug/shown-settings.ts';
import { readSettings } from '../../src/settings/setting.ts';

const CANARY = 'canary-of-a-secret';

describe('shownSettings()', () => {
  const settings = readSettings(SERVE_SETTINGS, {
    flags: {
      cacheTtl: '90s',
      cluster: 'false',
      skip: 'kind.local/*,quay.io/a/*',
      sharedCache: `rediss://tagpin:${CANARY}@cache.example.com`,
      dockerConfig: `/${CANARY}`,
      kubeconfig: `/${CANARY}`,
    },
    environment: {},
  });

  it('spells values as their flags do, or nearly', () => {
    expect(shownSettings(settings)).toMatchObject({
      '--cache-ttl': '90000ms',
      '--no-cluster': 'true',
      '--skip': 'kind.local/*,quay.io/a/*',
      '--hosts-dir': '',
    });
  });

  it('has none that may name a secret', () => {
    expect(JSON.stringify(shownSettings(settings))).not.toContain(CANARY);
  });
});
