import { isDeepStrictEqual } from 'node:util';
import { describe, expect, it } from '@jest/globals';
import * as fc from 'fast-check';

import { MODES } from '../../src/admission/policy.ts';
import { REFRESH_POLICIES } from '../../src/admission/refresh.ts';
import { Admission, digest, namesOf } from '../support/admission.ts';
import { JOB, type Json, KINDS, type Kind, objectOf, POD, templateOf } from '../support/review.ts';

const TAGS = {
  'docker.io/library/nginx:1': digest('a'),
  'docker.io/library/nginx:latest': digest('b'),
  'ghcr.io/team/app:1': digest('a'),
};

const REFRESH = ['tagpin.dev/refresh', 'kubectl.kubernetes.io/restartedAt'] as const;

const image = fc.oneof(
  fc.constantFrom(
    'nginx',
    'nginx:1',
    'docker.io/library/nginx:1',
    'ghcr.io/team/app:1',
    'missing:1',
    'kind.local/app:1',
    'auto',
    '',
    'NGINX',
    `nginx@${digest('a')}`,
    `nginx:1@${digest('a')}`,
    `httpd:2@${digest('c')}`,
  ),
  fc.string({ maxLength: 12, unit: 'binary' }),
  fc.constantFrom(undefined, null, 7, {}),
);
const name = fc.constantFrom('web', 'db', 'init', '__proto__', 'constructor', '@refresh', 'a~/b');
const container = fc.oneof(
  {
    weight: 20,
    arbitrary: fc.record(
      { name, image, imagePullPolicy: fc.constantFrom('Always', 'Never') },
      { requiredKeys: ['name'] },
    ),
  },
  { weight: 1, arbitrary: fc.constantFrom<unknown>(null, 'odd', [], {}) },
);
const volume = fc.record({ name, image: fc.option(fc.record({ reference: image })) });
const entry = fc.oneof(
  fc.constantFrom(
    `nginx:1 ${digest('a')}`,
    `nginx:1 ${digest('c')}`,
    `httpd:2 ${digest('c')}`,
    `nginx@${digest('b')} ${digest('a')}`,
    'nginx:1',
    'monday',
  ),
  fc.string({ maxLength: 5 }),
);
const recordText = fc.oneof(
  fc
    .array(fc.tuple(fc.oneof(name, fc.constantFrom('volume/web', '@restartedAt')), entry), {
      maxLength: 4,
    })
    .map(
      (fields) =>
        `{${fields.map((field) => field.map((text) => JSON.stringify(text)).join(':')).join(',')}}`,
    ),
  fc.constantFrom('{', '[]', 'null', ''),
);
const annotations = fc.option(
  fc.record(
    {
      'tagpin.dev/originals': recordText,
      'tagpin.dev/unpinned': fc.constantFrom('{"web":"not_found"}', 'x'),
      'tagpin.dev/skip': fc.constantFrom('true', 'web,db', 'init', ''),
      'tagpin.dev/refresh': fc.constantFrom('1', '2'),
      'kubectl.kubernetes.io/restartedAt': fc.constantFrom('monday', 'tuesday'),
    },
    { requiredKeys: [] },
  ),
  { nil: undefined },
);
const template = fc.record({
  annotations,
  spec: fc.record(
    {
      containers: fc.array(container, { maxLength: 4 }),
      initContainers: fc.array(container, { maxLength: 2 }),
      ephemeralContainers: fc.array(container, { maxLength: 1 }),
      volumes: fc.array(volume, { maxLength: 2 }),
    },
    { requiredKeys: ['containers'] },
  ),
});
const kind = fc.constantFrom(...KINDS);
const options = fc.record({
  mode: fc.constantFrom(...MODES),
  referenceForm: fc.constantFrom('digest' as const, 'tag-and-digest' as const),
  skip: fc.constant(['kind.local/*']),
  allowSkipInEnforce: fc.boolean(),
});

/** The same, with every policy by which pins are refreshed. */
const policies = fc
  .tuple(options, fc.constantFrom(...REFRESH_POLICIES))
  .map(([how, refreshPolicy]) => ({ ...how, parts: { refreshPolicy } }));

function objectFrom(of: Kind, parts: { annotations: Json | undefined; spec: Json }): Json {
  const { annotations: marks, spec } = parts;
  const object = objectOf(of, { spec, ...(marks !== undefined && { annotations: marks }) });
  return JSON.parse(JSON.stringify(object)) as Json;
}

/** Every image text of an object, with its place. */
function textsOf(of: Kind, object: Json): Map<string, unknown> {
  const found = new Map<string, unknown>();
  const { spec } = templateOf(of, object);
  for (const list of ['containers', 'initContainers', 'ephemeralContainers', 'volumes']) {
    ((spec[list] ?? []) as (Json | null)[]).forEach((item, index) => {
      const held = item?.['image'];
      found.set(
        `${list}/${index}`,
        list === 'volumes' ? (held as Json | null)?.['reference'] : held,
      );
    });
  }
  return found;
}

describe('createHandler() called again for the same object', () => {
  it('has nothing to add to a new object that it has patched', () => {
    fc.assert(
      fc.property(kind, policies, template, (of, how, parts) => {
        const admission = new Admission(TAGS, how);
        const first = admission.review(of, { object: objectFrom(of, parts) });
        expect(admission.review(of, { object: first.object }).patch).toEqual([]);
      }),
      { numRuns: 200 },
    );
  });

  it('has nothing to add to an update of what it has patched', () => {
    fc.assert(
      fc.property(kind, policies, template, (of, how, parts) => {
        const admission = new Admission(TAGS, how);
        const { object, response } = admission.review(of, { object: objectFrom(of, parts) });
        fc.pre(response.allowed);
        expect(admission.review(of, { object, oldObject: object }).patch).toEqual([]);
      }),
      { numRuns: 200 },
    );
  });

  it('has nothing to add to an update that it has patched', () => {
    fc.assert(
      fc.property(kind, policies, fc.tuple(template, template), (of, how, [before, after]) => {
        const admission = new Admission(TAGS, how);
        const oldObject = objectFrom(of, before);
        const first = admission.review(of, { oldObject, object: objectFrom(of, after) });
        const again = admission.review(of, { oldObject, object: first.object });
        // A refresh whose value could not be recorded is asked for again, and answered alike.
        expect(again.patch).toEqual([]);
      }),
      { numRuns: 300 },
    );
  });

  it('keeps the pins, and asks nobody, when the manifest is applied again after its tags moved', () => {
    fc.assert(
      fc.property(fc.constantFrom(...KINDS), template, (of, parts) => {
        const admission = new Admission(TAGS, { skip: ['kind.local/*'] });
        // Debug containers are set in a subresource, and are in no manifest.
        const { ephemeralContainers: _, ...spec } = parts.spec;
        const manifest = objectFrom(of, { annotations: undefined, spec });
        const { object: oldObject, outcomes } = admission.review(of, { object: manifest });
        fc.pre(!Object.values(outcomes).includes('failed') && hasStorableNames(of, manifest));
        admission.tags.clear();
        admission.asked.length = 0;
        const again = admission.review(of, { oldObject, object: manifest });
        expect(again.object).toEqual(oldObject);
        expect(namesOf(admission.asked)).toEqual([]);
      }),
      { numRuns: 200 },
    );
  });

  it('writes nothing but pins, over pins only on a refresh, and in mode warn only old ones', () => {
    fc.assert(
      fc.property(kind, options, fc.tuple(template, template), (of, how, [before, after]) => {
        const object = objectFrom(of, after);
        const oldObject = objectFrom(of, before);
        const answer = new Admission(TAGS, how).review(of, { oldObject, object });
        const sent = textsOf(of, object);
        const stored = [...textsOf(of, oldObject).values()];
        const refresh = REFRESH.some((key) => after.annotations?.[key] !== undefined);
        const rolls = of !== POD && of !== JOB && refresh && how.mode !== 'warn';
        const wrong = [...textsOf(of, answer.object)].filter(([place, text]) => {
          const was = sent.get(place);
          if (isDeepStrictEqual(text, was)) return false;
          const pin = typeof text === 'string' && /^[^@]+@sha256:[0-9a-f]{64}$/.test(text);
          const overPin = typeof was === 'string' && was.includes('@sha256:');
          return !pin || (overPin && !rolls) || (how.mode === 'warn' && !stored.includes(text));
        });
        expect(wrong).toEqual([]);
      }),
      { numRuns: 300 },
    );
  });
});

/** Names that are unique and no keys of the record: the API server stores no others. */
function hasStorableNames(of: Kind, object: Json): boolean {
  const { spec } = templateOf(of, object);
  const keys = Object.entries(spec).flatMap(([list, items]) =>
    (items as (Json | null)[]).map(
      (item) => `${list === 'volumes' ? list : ''}${String(item?.['name'])}`,
    ),
  );
  return new Set(keys).size === keys.length && !keys.some((key) => key.includes('@'));
}
