import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';

import { DOCTOR_SETTINGS } from '../../src/commands/doctor-settings.ts';
import { composeDoctor } from '../../src/composition/doctor.ts';
import type { Facts } from '../../src/doctor/facts.ts';
import type { JsonObject } from '../../src/json.ts';
import { readSettings } from '../../src/settings/setting.ts';
import { type Authority, createAuthority } from '../support/certificate.ts';
import { deployment, namespace } from '../support/doctor-facts.ts';
import { Files } from '../support/files.ts';
import { kubeconfigText } from '../support/kubeconfig.ts';
import { type ScriptedRegistry, startRegistry } from '../support/scripted-registry.ts';

let files: Files;
let registry: ScriptedRegistry;
let authority: Authority;

beforeAll(async () => {
  files = new Files();
  registry = await startRegistry([{ status: 200 }]);
  authority = await createAuthority();
});
afterAll(async () => {
  await registry[Symbol.asyncDispose]();
  await files[Symbol.asyncDispose]();
});

/** Of a cluster in which an image of the registry runs, and a Deployment with these flags; HOST is the registry. */
async function gathered(
  served: readonly string[],
  given: Readonly<Record<string, string>>,
): Promise<Facts> {
  const withHost = (text: string): string => text.replace('HOST', registry.host);
  const core = '/api/v1/namespaces';
  const running = { spec: { containers: [{ name: 'web', image: `${registry.host}/a:1` }] } };
  const objects: Readonly<Record<string, JsonObject>> = {
    [core]: { items: [namespace('shop', { 'tagpin.dev/mode': 'pin' })] },
    [`${core}/shop/pods`]: { items: [running] },
    '/apis/apps/v1/namespaces/tagpin-system/deployments/tagpin': deployment(served.map(withHost)),
  };
  const rules = Object.entries(objects).map(([path, value]) => ({
    when: { path },
    body: JSON.stringify(value),
  }));
  const pair = await authority.issue(['127.0.0.1']);
  await using cluster = await startRegistry([...rules, { status: 404 }], pair);
  const kubeconfig = files.write('config', kubeconfigText(cluster.origin, authority.certificate));
  const named = Object.entries(given).map(([name, text]) => [name, withHost(text)]);
  const flags = { kubeconfig, ...Object.fromEntries(named) };
  const settings = readSettings(DOCTOR_SETTINGS, { flags, environment: {} });
  const { gather, close } = composeDoctor(settings, { version: '0', environment: {} });
  try {
    return await gather();
  } finally {
    await close();
  }
}

describe('composeDoctor()', () => {
  it.each([
    ['of the Deployment', ['--plain-http=HOST', '--allow-address=127.0.0.0/8'], {}],
    ['that are given', [], { plainHttp: 'HOST', allowAddress: '127.0.0.0/8' }],
    ['of both', ['--plain-http=HOST'], { allowAddress: '127.0.0.0/8' }],
    [
      'that can be read',
      ['--plain-http=HOST', '--allow-address=bogus'],
      { allowAddress: '127.0.0.0/8' },
    ],
  ])('asks registries with the flags %s', async (_whose, served, given) => {
    const { registries } = await gathered(served, given);
    const answered = { origin: registry.origin, problem: undefined };
    expect(registries).toEqual([{ registry: registry.host, places: [answered] }]);
  });

  it('asks none of an address that nobody allows', async () => {
    const { registries } = await gathered(['--plain-http=HOST'], {});
    expect(registries[0]?.places[0]?.problem?.reason).toBe('blocked_address');
  });
});
