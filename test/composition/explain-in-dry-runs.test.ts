import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';

import { createHandler } from '../../src/admission/handler.ts';
import type { AdmissionResponse } from '../../src/admission/response.ts';
import { composeEngine, type Engine } from '../../src/composition/engine.ts';
import { composeExplainInDryRuns } from '../../src/composition/explain-in-dry-runs.ts';
import { NO_METRICS } from '../../src/composition/nobody.ts';
import { pinningOf } from '../../src/composition/pinning.ts';
import { SERVE_SETTINGS, type ServeSettings } from '../../src/config.ts';
import { readExplanation, type SentStep } from '../../src/explain/document.ts';
import { parseReference } from '../../src/image/reference.ts';
import type { JsonObject } from '../../src/json.ts';
import { createCache } from '../../src/resolve/cache.ts';
import { readSettings } from '../../src/settings/setting.ts';
import { digest } from '../support/admission.ts';
import { issues, told, unauthorized, withAuthorization } from '../support/answers.ts';
import { createAuthority } from '../support/certificate.ts';
import { Cluster, pullSecret } from '../support/cluster.ts';
import { Files } from '../support/files.ts';
import { kubeconfigText } from '../support/kubeconfig.ts';
import { createRecordedLog } from '../support/recorded-log.ts';
import { objectOf, POD, reviewOf, specOf } from '../support/review.ts';
import { type Rule, type ScriptedRegistry, startRegistry } from '../support/scripted-registry.ts';

const PASSWORD = 'canary-password';
const TOKEN = 'canary-token';
const DIGEST = digest('a');
const now = (): number => performance.now();

let files: Files;
let registry: ScriptedRegistry;
let api: ScriptedRegistry;
let cluster: Cluster;
let engine: Engine;
let settings: ServeSettings;
const { log, lines } = createRecordedLog();
/** All that was answered, to look for what must not be in it. */
const everything: string[] = [];

beforeAll(async () => {
  files = new Files();
  registry = await startRegistry([]);
  const realm = `Bearer realm="${registry.origin}/token",service="s"`;
  const tag = (name: string): Rule[] => [
    {
      ...withAuthorization(`Bearer ${TOKEN}`, told(DIGEST)),
      when: { path: `/v2/app/manifests/${name}`, headers: { authorization: `Bearer ${TOKEN}` } },
    },
    { when: { path: `/v2/app/manifests/${name}` }, ...unauthorized(realm) },
  ];
  registry.answer(
    { ...issues({ token: TOKEN }), when: { path: '/token' } },
    ...['1', '2'].flatMap(tag),
    { status: 429, headers: { 'retry-after': '600' } },
  );
  const authority = await createAuthority();
  const allowed = { kind: 'SubjectAccessReview', status: { allowed: true } };
  const headers = { 'content-type': 'application/json' };
  api = await startRegistry(
    [{ status: 201, headers, body: JSON.stringify(allowed) }],
    await authority.issue(['127.0.0.1']),
  );
  const kubeconfig = files.write('kubeconfig', kubeconfigText(api.origin, authority.certificate));
  const flags = { plainHttp: registry.host, allowAddress: '127.0.0.0/8', kubeconfig };
  settings = readSettings(SERVE_SETTINGS, {
    flags: { ...flags, explainInDryRun: 'true' },
    environment: {},
  });
  cluster = new Cluster();
  const secret = pullSecret('regcred', { [registry.host]: ['alice', PASSWORD] });
  cluster.secrets.set('shop/regcred', secret);
  engine = composeEngine(settings, {
    cache: createCache({ ttlMs: 60_000, staleIfErrorMs: 0, random: Math.random }),
    reader: cluster.reader,
    metrics: NO_METRICS,
    userAgent: 'tagpin/0',
    log,
    environment: {},
    now,
  });
  await engine.load();
});
afterAll(async () => {
  await engine.close();
  await api[Symbol.asyncDispose]();
  await registry[Symbol.asyncDispose]();
  await files[Symbol.asyncDispose]();
});

interface Told {
  readonly report: JsonObject | undefined;
  readonly pod: JsonObject | undefined;
  readonly steps: readonly SentStep[];
}

async function explained(tag: string): Promise<Told> {
  const { resolver } = engine;
  const handle = createHandler({
    ...pinningOf(settings),
    resolve: resolver.resolve,
    peek: resolver.peek,
    observe: () => {},
    now,
    extraKinds: new Map(),
    siblings: undefined,
    isContended: () => false,
  });
  const reader = cluster.reader;
  const answer = composeExplainInDryRuns(settings, handle, {
    engine,
    reader,
    log,
    version: '0',
    now,
  });
  const spec = {
    ...specOf({ web: `${registry.host}/app:${tag}` }),
    imagePullSecrets: [{ name: 'regcred' }],
  };
  const object = objectOf(POD, { annotations: { 'tagpin.dev/explain': 'web' }, spec });
  const more = { dryRun: true, userInfo: { username: 'bob' } };
  const review = reviewOf(POD, { object, more });
  const times = { startedAtMs: now(), deadlineAtMs: now() + 60_000 };
  const response = await answer({ review, mode: 'pin', mayLookUp: true, ...times });
  everything.push(JSON.stringify(response));
  return toldIn(response);
}

function noReview(): never {
  throw new Error('no review is sent');
}

function toldIn({ status }: AdmissionResponse): Told {
  const [cause] = status?.details?.causes ?? [];
  const read = readExplanation(cause?.message ?? '');
  if (read === undefined) throw new Error('there is no explanation');
  return read;
}

function stepsOf({ steps }: Told): (JsonObject | undefined)[] {
  return steps.map(({ step }) => step);
}

describe('composeExplainInDryRuns()', () => {
  it('tells of a look-up of its own, with the secret as this process reads it', async () => {
    const all = await explained('1');
    expect(stepsOf(all)).toEqual(
      expect.arrayContaining([
        expect.objectContaining({ kind: 'Secret', name: 'shop/regcred', result: 'found' }),
        expect.objectContaining({ step: 'cache', result: 'miss' }),
        expect.objectContaining({ purpose: 'token', authorization: 'Basic', answer: '200' }),
        expect.objectContaining({ purpose: 'image', authorization: 'Bearer', answer: '200' }),
      ]),
    );
    expect(all.report).toMatchObject({ outcome: 'pinned', digest: DIGEST });
    expect(all.pod).toMatchObject({ allowed: true, image: `${registry.host}/app@${DIGEST}` });
    // The review itself had it from the cache.
    const heads = registry.requests.filter(({ path }) => path.endsWith('/manifests/1'));
    expect(heads).toHaveLength(2);
  });

  it('tells what the cache of the process holds, and how old it is', async () => {
    const before = registry.requests.length;
    const all = await explained('1');
    expect(stepsOf(all)).toContainEqual({ step: 'cache', result: 'hit' });
    expect(all.report).toMatchObject({ stale: false, ageMs: expect.any(Number) });
    expect(registry.requests).toHaveLength(before);
  });

  it('uses the tokens that the process has', async () => {
    const all = await explained('2');
    expect(all.report).toMatchObject({ outcome: 'pinned' });
    expect(stepsOf(all)).not.toContainEqual(expect.objectContaining({ purpose: 'token' }));
  });

  it('tells that a registry is left alone since a review of another was told to', async () => {
    const identity = { namespace: 'shop', pullSecrets: ['regcred'], serviceAccount: undefined };
    const asked = { identity, deadlineAtMs: now() + 60_000, notBeforeMs: undefined };
    await engine.resolver.resolve(parseReference(`${registry.host}/app:3`), asked);
    const before = registry.requests.length;
    const all = await explained('4');
    expect(stepsOf(all)).toContainEqual(
      expect.objectContaining({ step: 'left_alone', reason: 'rate_limited' }),
    );
    expect(all.report).toMatchObject({ outcome: 'failed', reason: 'rate_limited' });
    expect(registry.requests).toHaveLength(before);
  });

  it('has asked the API server each time who may', () => {
    expect(api.requests.map(({ path }) => path)).toEqual(
      Array(4).fill('/apis/authorization.k8s.io/v1/subjectaccessreviews'),
    );
  });

  it('needs a cluster', () => {
    const without = { ...settings, cluster: false };
    const { reader } = cluster;
    const serving = { engine, reader, log, version: '0', now };
    expect(() => composeExplainInDryRuns(without, noReview, serving)).toThrow('--no-cluster');
  });

  it('has told nothing of any secret in all of that', () => {
    const all = [...everything, ...lines].join('\n');
    expect(everything).toHaveLength(4);
    for (const secret of [PASSWORD, TOKEN, btoa(`alice:${PASSWORD}`), 'alice']) {
      expect(all).not.toContain(secret);
    }
  });
});
