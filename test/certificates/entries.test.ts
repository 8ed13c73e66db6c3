import { beforeAll, describe, expect, it } from '@jest/globals';
import jsonPatch, { type Operation } from 'fast-json-patch';

import { type Entry, entriesOf, patchOf } from '../../src/certificates/entries.ts';
import { createIssuer } from '../../src/certificates/issue.ts';
import type { IssuedPair } from '../../src/certificates/ports.ts';
import type { JsonObject } from '../../src/json.ts';

const TOKEN = 'a'.repeat(64);
const NEXT = 'b'.repeat(64);

let one: IssuedPair;
let other: IssuedPair;

beforeAll(async () => {
  const issuer = createIssuer();
  const nowMs = Date.now();
  one = await issuer.authority({ nowMs, notAfterMs: nowMs + 3_600_000 });
  other = await issuer.authority({ nowMs, notAfterMs: nowMs + 3_600_000 });
});

function configuration(...webhooks: readonly object[]): JsonObject {
  return { metadata: { name: 'tagpin', resourceVersion: '7' }, webhooks };
}

function service(path?: string, name: string = 'a.example.com'): object {
  return {
    name,
    clientConfig: { service: { name: 'tagpin', ...(path !== undefined && { path }) } },
  };
}

function called(route: string, token?: string): Pick<Entry, 'route' | 'token'> {
  return { route, token };
}

describe('entriesOf()', () => {
  it.each<[string, object, Pick<Entry, 'route' | 'token'>]>([
    ['a path of a mode', service('/admission/pin'), called('/admission/pin')],
    [
      'a path with a token',
      service(`/caller/${TOKEN}/admission/warn`),
      called('/admission/warn', TOKEN),
    ],
    ['the path of verdicts', service('/validate/digests'), called('/validate/digests')],
    ['a short token', service('/caller/a/admission/pin'), called('/admission/pin')],
    [
      'no path, by its name',
      service(undefined, 'pods.enforce.tagpin.dev'),
      called('/admission/enforce'),
    ],
    ['the path /, by its name', service('/', 'workloads.warn.a'), called('/admission/warn')],
    ['no path, of verdicts', service(undefined, 'digests.a'), called('/validate/digests')],
    [
      'an address',
      { name: 'a', clientConfig: { url: `https://a.example:8443/caller/${TOKEN}/admission/pin` } },
      called('/admission/pin', TOKEN),
    ],
  ])('knows %s', (_what, webhook, expected) => {
    const [{ index, bundle, route, token } = {}] = entriesOf(configuration(webhook));
    expect({ index, bundle, route, token }).toEqual({ index: 0, bundle: [], ...expected });
  });

  it.each<[string, object]>([
    ['no path, of another name', service()],
    ['another path', service('/mutate', 'pods.pin.tagpin.dev')],
    ['no way to be called', { name: 'pods.pin.tagpin.dev', clientConfig: {} }],
    ['an address that is none', { name: 'pods.pin.a', clientConfig: { url: 'nowhere' } }],
  ])('leaves alone what has %s', (_what, webhook) => {
    expect(entriesOf(configuration(webhook))).toEqual([]);
  });

  it('reads what of a bundle can be read, each certificate once', () => {
    const text = `${one.cert}nonsense\n${other.cert}${one.cert}-----BEGIN CERTIFICATE-----\nA\n-----END CERTIFICATE-----`;
    const caBundle = Buffer.from(text).toString('base64');
    const webhook = { name: 'a', clientConfig: { caBundle, service: { path: '/admission/pin' } } };
    const [entry] = entriesOf(configuration(webhook));
    expect(entry?.bundle).toEqual([one.certificate, other.certificate]);
  });
});

describe('patchOf()', () => {
  it('writes bundle and path of its entries, and nothing else', () => {
    const before = configuration(
      { ...service('/other'), rules: ['a'] },
      { ...service(undefined, 'pods.pin.tagpin.dev'), failurePolicy: 'Ignore' },
      { name: 'b', clientConfig: { url: 'https://a.example:1/admission/pin', caBundle: 'AA==' } },
    );
    const bundle = [one.certificate, other.certificate];
    const changes = entriesOf(before).map((entry) => ({ entry, bundle, token: NEXT }));
    const patch: Operation[] = JSON.parse(JSON.stringify(patchOf('7', changes)));
    const after = jsonPatch.applyPatch(structuredClone(before), patch).newDocument;
    const caBundle = Buffer.from(one.cert + other.cert).toString('base64');
    const path = `/caller/${NEXT}/admission/pin`;
    expect(after).toEqual(
      configuration(
        { ...service('/other'), rules: ['a'] },
        {
          name: 'pods.pin.tagpin.dev',
          clientConfig: { caBundle, service: { name: 'tagpin', path } },
          failurePolicy: 'Ignore',
        },
        { name: 'b', clientConfig: { url: `https://a.example:1${path}`, caBundle } },
      ),
    );
    // By which the API server tells that somebody else was faster.
    expect(patch[0]).toEqual({ op: 'replace', path: '/metadata/resourceVersion', value: '7' });
  });
});
