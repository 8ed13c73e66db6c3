import { readFileSync } from 'node:fs';
import { join } from 'node:path';

import { describe, expect, it } from '@jest/globals';

import { writeExplanation } from '../../src/explain/document.ts';
import type { ExplainFormat } from '../../src/explain/run.ts';
import type { DryRunAnswer } from '../../src/explain/unexplained.ts';
import { runViaWebhook, type ViaWebhookPorts } from '../../src/explain/via-webhook.ts';
import type { JsonObject } from '../../src/json.ts';
import { recordedStreams } from '../support/streams.ts';

const PAGE = join(import.meta.dirname, '..', '..', 'docs', 'troubleshooting.md');
const WEBHOOK = { version: '1.2.3', replica: 'tagpin-0', mode: 'pin' } as const;
const EXPLAINED = writeExplanation(WEBHOOK, {
  report: { image: 'a:1', outcome: 'pinned', result: 'a@sha256:0', ageMs: 12_340, stale: true },
  steps: [{ atMs: 2, step: 'warning', message: 'one\u009Btwo' }],
  pod: { allowed: true, image: 'a:1', warnings: ['it is stale'] },
});

function refusalWith(cause: string | undefined, message = 'denied'): DryRunAnswer {
  const causes = cause === undefined ? [] : [{ reason: 'tagpin.dev/explanation', message: cause }];
  return { status: 403, message, value: { details: { causes } }, warnings: [] };
}

/** The Pod of the dry run, as it comes back. */
function created(image: string, warnings: readonly string[] = [], annotations = {}): DryRunAnswer {
  const spec = {
    containers: [
      { name: 'sidecar', image: 's:1' },
      { name: 'explained', image },
    ],
  };
  return { status: 201, message: undefined, value: { metadata: { annotations }, spec }, warnings };
}

interface Told {
  readonly passed: boolean;
  readonly out: string;
  readonly pods: readonly object[];
}

async function told(
  answer: DryRunAnswer,
  more: Partial<ViaWebhookPorts> & {
    readonly format?: ExplainFormat;
    readonly pod?: string;
    readonly serviceAccount?: string;
  } = {},
): Promise<Told> {
  const { format = 'text', pod, serviceAccount, ...ports } = more;
  const streams = recordedStreams();
  const pods: object[] = [];
  const question = { image: 'a:1', namespace: 'shop', pod, serviceAccount };
  const passed = await runViaWebhook(question, format, {
    create: async (one) => {
      pods.push(one);
      return answer;
    },
    readPod: async () => undefined,
    labels: async () => ({ 'tagpin.dev/mode': 'pin' }),
    ...ports,
    streams,
  });
  return { passed, out: streams.written.out, pods };
}

describe('runViaWebhook()', () => {
  it('writes the steps, the answer, and what only the webhook knows', async () => {
    const { passed, out } = await told(refusalWith(EXPLAINED));
    expect(passed).toBe(true);
    expect(out).toBe(
      [
        '     2.0 ms  warning      one\\u{9b}two',
        '             answer       a@sha256:0',
        '             age          the digest was asked for 12.3 s ago: the registry does not answer now',
        '             webhook      tagpin 1.2.3 at tagpin-0, mode pin',
        '             warns        it is stale',
        '             its answer   the Pod with a:1',
        '',
      ].join('\n'),
    );
  });

  it('writes the same as JSON', async () => {
    const { out } = await told(refusalWith(EXPLAINED), { format: 'json', serviceAccount: 'b' });
    expect(JSON.parse(out)).toEqual({
      image: 'a:1',
      namespace: 'shop',
      serviceAccount: 'b',
      outcome: 'pinned',
      result: 'a@sha256:0',
      ageMs: 12_340,
      stale: true,
      webhook: WEBHOOK,
      answer: { allowed: true, image: 'a:1', warnings: ['it is stale'] },
      steps: [{ atMs: 2, step: 'warning', message: 'one\u009Btwo' }],
    });
  });

  it('fails where the image cannot be pinned', async () => {
    const failed = writeExplanation(WEBHOOK, {
      report: {
        image: 'a:1',
        outcome: 'failed',
        reason: 'not_found',
        message: 'no',
        advice: 'push',
      },
      steps: [],
      pod: { allowed: false, message: 'denied' },
    });
    const { passed, out } = await told(refusalWith(failed));
    expect(passed).toBe(false);
    expect(out).toContain('answer       no [not_found]\n             what to do   push\n');
    expect(out).toContain('its answer   no Pod: denied\n');
  });

  it('says which right is missing', async () => {
    const refused = { reason: 'forbidden', message: 'you may not', advice: 'ask for this' };
    const { passed, out } = await told(refusalWith(writeExplanation(WEBHOOK, refused)));
    expect(passed).toBe(false);
    expect(out).toBe(
      '             answer       you may not [forbidden]\n             what to do   ask for this\n',
    );
  });

  it('says that it does not understand', async () => {
    const { passed, out } = await told(refusalWith('{"version":2}'), { format: 'json' });
    expect(passed).toBe(false);
    expect(JSON.parse(out)).toMatchObject({ outcome: 'unexplained', reason: 'other_version' });
  });

  it('creates a Pod that the standard `restricted` and quotas let by, with the account that is named', async () => {
    const { pods } = await told(refusalWith(EXPLAINED), { serviceAccount: 'builder' });
    expect(pods).toMatchObject([
      {
        metadata: { annotations: { 'tagpin.dev/explain': 'explained' } },
        spec: {
          serviceAccountName: 'builder',
          containers: [
            {
              name: 'explained',
              image: 'a:1',
              resources: { limits: { cpu: '1m' } },
              securityContext: { runAsNonRoot: true },
            },
          ],
        },
      },
    ]);
  });

  it('takes the pull secrets and the account of a Pod', async () => {
    const found = { pullSecrets: ['one', 'two'], serviceAccount: 'builder' };
    const { pods } = await told(refusalWith(EXPLAINED), { pod: 'web', readPod: async () => found });
    expect(pods).toMatchObject([
      {
        spec: {
          serviceAccountName: 'builder',
          imagePullSecrets: [{ name: 'one' }, { name: 'two' }],
        },
      },
    ]);
    await expect(told(refusalWith(EXPLAINED), { pod: 'gone' })).rejects.toMatchObject({
      code: 'invalid_config',
      message: 'there is no Pod "shop/gone"',
    });
  });

  const OFF =
    'tagpin.dev/explain: this webhook explains nothing: it runs without --explain-in-dry-run';
  const NO_PODS = 'pods is forbidden: User "a" cannot create resource "pods" in API group ""';
  const OPTED_IN = { 'tagpin.dev/mode': 'pin' };

  it.each<readonly [string, DryRunAnswer, JsonObject | undefined]>([
    ['explains_nothing', created('a@sha256:0', [OFF]), OPTED_IN],
    ['explains_nothing', { ...refusalWith(undefined, 'quota'), warnings: [OFF] }, OPTED_IN],
    ['unauthenticated', { ...refusalWith(undefined), status: 401 }, OPTED_IN],
    ['may_not_create_pods', refusalWith(undefined, NO_PODS), OPTED_IN],
    [
      'older_webhook',
      refusalWith(undefined, 'admission webhook "pods.enforce.tagpin.dev" denied the request: no'),
      OPTED_IN,
    ],
    ['older_webhook', created('a@sha256:0'), OPTED_IN],
    ['older_webhook', created('a:1', [], { 'tagpin.dev/unpinned': '{}' }), undefined],
    ['refused', refusalWith(undefined, 'exceeded quota: none'), OPTED_IN],
    [
      'refused',
      { ...refusalWith(undefined), status: 404, message: 'namespaces "x" not found' },
      {},
    ],
    ['not_opted_in', created('a:1'), {}],
    ['not_opted_in', refusalWith(undefined, 'failed quota: cpu: must specify cpu'), {}],
    ['not_called', created('a:1'), OPTED_IN],
    ['not_called', created('a:1'), undefined],
  ])('says why there is no explanation: %s', async (reason, answer, labels) => {
    const { passed, out } = await told(answer, { format: 'json', labels: async () => labels });
    expect(passed).toBe(false);
    expect(JSON.parse(out)).toMatchObject({
      outcome: 'unexplained',
      reason,
      advice: expect.stringMatching(/./),
    });
    expect(readFileSync(PAGE, 'utf8')).toContain(`\`${reason}\``);
  });

  it('asks for no labels where there is no namespace', async () => {
    const error = new Error('they are asked for');
    const answer = { ...refusalWith(undefined, 'namespaces "shop" not found'), status: 404 };
    expect((await told(answer, { labels: () => Promise.reject(error) })).out).toContain(
      'namespaces "shop" not found [refused]',
    );
  });

  it('tells what else the API server warns of', async () => {
    const { out } = await told(created('a:1', ['spec.x: deprecated\u001B']));
    expect(out).toContain('warning      spec.x: deprecated\\u{1b}\n');
  });
});
