import { describe, expect, it } from '@jest/globals';

import { SERVE_SETTINGS } from '../../src/config.ts';
import { featuresOf } from '../../src/doctor/features.ts';
import { servedSettings } from '../../src/doctor/served-settings.ts';
import type { JsonObject } from '../../src/json.ts';
import { readSettings } from '../../src/settings/setting.ts';

const DEFAULTS = readSettings(SERVE_SETTINGS, { flags: {}, environment: {} });

function served(args: readonly string[], env: Readonly<Record<string, string>> = {}): JsonObject {
  const variables = Object.entries(env).map(([name, value]) => ({ name, value }));
  const containers = [{ args: ['serve', ...args], env: variables }];
  return { spec: { template: { spec: { containers } } } };
}

describe('servedSettings()', () => {
  it.each([
    ['--name=value', served(['--plain-http=a:5000,b']), { plainHttp: ['a:5000', 'b'] }],
    ['--name value', served(['--plain-http', 'a', '--events']), { plainHttp: ['a'], events: true }],
    ['a flag that says no', served(['--no-cluster']), { cluster: false }],
    ['a variable', served([], { TAGPIN_CLUSTER: 'false', PATH: '/' }), { cluster: false }],
    ['both', served(['--cache-ttl=2s'], { TAGPIN_CACHE_TTL: '1s' }), { cacheTtl: 2000 }],
    ['what the kubelet fills in', served(['--listen=$(POD_IP):1']), {}],
    ['what this version does not know', served(['--of-tomorrow=x'], { TAGPIN_MORROW: 'x' }), {}],
  ])('reads %s', (_what, deployment, settings) => {
    expect(servedSettings(deployment)).toEqual({
      settings: { ...DEFAULTS, ...settings },
      problem: undefined,
    });
  });

  it('is the table of settings where there is no Deployment', () => {
    expect(servedSettings(undefined)).toEqual({ settings: DEFAULTS, problem: undefined });
  });

  it('says what cannot be read, and keeps what can', () => {
    const { settings, problem } = servedSettings(
      served(['--allow-address=bogus', '--plain-http=a'], { TAGPIN_CACHE_TTL: 'soon' }),
    );
    expect(settings).toEqual({ ...DEFAULTS, plainHttp: ['a'] });
    expect(problem).toMatch(/--allow-address .*"bogus".*--cache-ttl .*"soon"/);
  });
});

describe('featuresOf()', () => {
  it('has the defaults of the settings', () => {
    expect(featuresOf(served([]), 'tagpin-system')).toEqual({
      readsCluster: DEFAULTS.cluster,
      siblingPins: DEFAULTS.siblingPins,
      events: DEFAULTS.events,
      audits: DEFAULTS.auditEvery > 0,
      explains: DEFAULTS.explainInDryRun,
      builtIn: undefined,
      mounted: undefined,
      serviceAccount: 'tagpin',
      seen: true,
    });
    expect(featuresOf(served(['--certificates=built-in']), 'tagpin-system').builtIn).toEqual(
      DEFAULTS.certificateSecret,
    );
  });
});
