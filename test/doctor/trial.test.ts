import { describe, expect, it } from '@jest/globals';

import type { ApiAnswer } from '../../src/doctor/api-server.ts';
import { readTrial, type Trial, type Tried, trialPod } from '../../src/doctor/trial.ts';

const SAMPLE = {
  image: 'a.example/b:1',
  registry: 'a.example',
  serviceAccount: 'web',
  imagePullSecrets: [{ name: 'regcred' }],
};

function answer(parts: Partial<ApiAnswer>): ApiAnswer {
  return {
    status: 201,
    message: undefined,
    value: undefined,
    text: '',
    warnings: [],
    dateMs: undefined,
    ...parts,
  };
}

/** The Pod as it comes back: by its containers, with the reasons of those that keep their tags. */
function stored(image: string, reasons?: Readonly<Record<string, string>>): ApiAnswer {
  const annotations = reasons && { 'tagpin.dev/unpinned': JSON.stringify(reasons) };
  const containers = [
    { name: 'tagpin-doctor-probe', image: 'tagpin-doctor/NO-IMAGE' },
    { name: 'tagpin-doctor-sample', image },
  ];
  return answer({ value: { metadata: { annotations }, spec: { containers } } });
}

const DENIED = 'admission webhook "pods.enforce.tagpin.dev" denied the request: Cannot resolve';
const PROBED = 'for container "tagpin-doctor-probe": no image; the tag stays [invalid_reference]';
const DIGEST = `a.example/b@sha256:${'0'.repeat(64)}`;
const PROBE_FAILS = { 'tagpin-doctor-probe': 'invalid_reference' };

type Row = readonly [
  what: string,
  mode: Tried['mode'],
  answer: ApiAnswer,
  seen: Trial['seen']['by'],
  sample?: object,
];

const ROWS: readonly Row[] = [
  ['pinned', 'pin', stored(DIGEST, PROBE_FAILS), 'tagpin', { pinned: true }],
  [
    'seen, and not pinned',
    'pin',
    stored('a.example/b:1', { ...PROBE_FAILS, 'tagpin-doctor-sample': 'unavailable' }),
    'tagpin',
    { pinned: false, reason: 'unavailable' },
  ],
  ['not seen', 'pin', stored('a.example/b:1'), 'nobody'],
  [
    'denied for the probe alone',
    'enforce',
    answer({
      status: 403,
      message: `${DENIED} for container "tagpin-doctor-probe" [invalid_reference]`,
    }),
    'tagpin',
    { pinned: true },
  ],
  [
    'denied for both',
    'enforce',
    answer({
      status: 403,
      message: `${DENIED} … "tagpin-doctor-probe"; … container "tagpin-doctor-sample": gone: correct it [invalid_reference]`,
    }),
    'tagpin',
    { pinned: false },
  ],
  [
    'refused by the policy alone',
    'enforce',
    answer({
      status: 422,
      message: `pods is forbidden: ValidatingAdmissionPolicy 'tagpin-enforce' … denied request: … [unpinned]`,
    }),
    'nobody',
  ],
  [
    'warned of',
    'warn',
    answer({
      ...stored('a.example/b:1'),
      warnings: [PROBED, `container "tagpin-doctor-sample" would be pinned to ${DIGEST}`],
    }),
    'tagpin',
    { pinned: true },
  ],
  [
    'warned of both',
    'warn',
    answer({
      ...stored('a.example/b:1'),
      warnings: [PROBED, 'x for container "tagpin-doctor-sample": y; the tag stays [not_found]'],
    }),
    'tagpin',
    { pinned: false, reason: 'not_found' },
  ],
  [
    'seen, and refused by somebody else',
    'pin',
    answer({ status: 403, message: 'admission webhook "a.example" denied it', warnings: [PROBED] }),
    'tagpin',
    { pinned: 'unknown' },
  ],
  [
    'refused before tagpin',
    'pin',
    answer({ status: 403, message: 'exceeded quota: pods=0' }),
    'unknown',
  ],
  [
    'warned of by a stranger',
    'pin',
    answer({ ...stored('a.example/b:1'), warnings: ['tagpin-doctor-probe has no probes'] }),
    'nobody',
  ],
];

describe('readTrial()', () => {
  it.each(ROWS.map((row) => [row[0], row[1], row] as const))(
    'sees a Pod that is %s, in mode %s',
    (_what, _mode, row) => {
      const [, mode, answered, by, sample] = row;
      const trial = readTrial({ namespace: 'shop', mode, sample: SAMPLE }, answered);
      expect(trial.seen.by).toBe(by);
      expect(trial.sample).toEqual(
        sample && { image: 'a.example/b:1', registry: 'a.example', reason: undefined, ...sample },
      );
    },
  );
});

describe('trialPod()', () => {
  it('asks with what the Pod asks with whose image it tries', () => {
    expect(trialPod({ sample: SAMPLE })).toMatchObject({
      spec: {
        serviceAccountName: 'web',
        imagePullSecrets: [{ name: 'regcred' }],
        containers: [{ image: 'tagpin-doctor/NO-IMAGE' }, { image: 'a.example/b:1' }],
      },
    });
  });
});
