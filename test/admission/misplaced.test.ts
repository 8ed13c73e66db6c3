import { describe, expect, it } from '@jest/globals';

import { Admission, digest, record } from '../support/admission.ts';
import {
  DEPLOYMENT,
  type Json,
  type Kind,
  objectOf,
  POD,
  specOf,
  WORKLOADS,
} from '../support/review.ts';

const A = digest('a');
const NAMES = ['tagpin.dev/refresh', 'tagpin.dev/refresh-policy', 'tagpin.dev/skip'];

/** A pinned object, with annotations in its own metadata. */
function pinned(kind: Kind, own: Json, name = 'web'): Json {
  const annotations = record({ web: `nginx:1 ${A}` });
  const object = objectOf(kind, { spec: specOf({ web: `nginx@${A}` }), annotations });
  return { ...object, metadata: { name, annotations: own } };
}

function warningsOf(
  kind: Kind,
  before: Json | undefined,
  after: Json,
): readonly string[] | undefined {
  const request = {
    object: pinned(kind, after),
    ...(before && { oldObject: pinned(kind, before) }),
  };
  return new Admission().review(kind, request).response.warnings;
}

describe('misplacedWarnings()', () => {
  it.each(WORKLOADS)('tells how to reach the pod template of a $kind', (kind) => {
    const warnings = warningsOf(kind, {}, { 'tagpin.dev/refresh': '2' });
    expect(warnings).toHaveLength(2);
    const [what = '', how = ''] = warnings ?? [];
    expect(what).toBe(
      `tagpin.dev/refresh has no effect in the metadata of a ${kind.kind}, only in that of its pod template:`,
    );
    const command = `kubectl patch ${kind.kind.toLowerCase()} web -n shop --type merge -p '`;
    expect(how.startsWith(command)).toBe(true);
    let patch = JSON.parse(how.slice(command.length, -1)) as Json;
    for (const step of kind.template) patch = patch[step] as Json;
    expect(patch).toEqual({ metadata: { annotations: { 'tagpin.dev/refresh': '2' } } });
  });

  it('tells custom resources from those of Kubernetes that are called the same', () => {
    const kind = { kind: 'Service', group: 'serving.knative.dev', template: ['spec', 'template'] };
    const extraKind = ['serving.knative.dev/Service=spec.template'];
    const object = pinned(kind, { 'tagpin.dev/skip': 'true' });
    const { response } = new Admission({}, { extraKind }).review(kind, { object });
    expect(response.warnings?.[1]).toContain('kubectl patch service.serving.knative.dev web -n');
  });

  it.each(NAMES)('looks at %s in a new object, too', (name) => {
    expect(warningsOf(DEPLOYMENT, undefined, { [name]: 'true' })).toHaveLength(2);
  });

  it.each<[string, Json | undefined, Json]>([
    ['that was there before', { 'tagpin.dev/refresh': '2' }, { 'tagpin.dev/refresh': '2' }],
    ['that vanishes', { 'tagpin.dev/refresh': '2' }, {}],
    ['of another name', {}, { 'tagpin.dev/other': '2' }],
  ])('says nothing of one %s', (_, before, after) => {
    expect(warningsOf(DEPLOYMENT, before, after)).toBeUndefined();
  });

  it('says nothing of a Pod, which is its own template', () => {
    const object = objectOf(POD, {
      spec: specOf({ web: `nginx@${A}` }),
      annotations: { 'tagpin.dev/skip': 'true' },
    });
    expect(new Admission().review(POD, { object }).response).not.toHaveProperty('warnings');
  });

  it.each([
    ["2'; rm -rf ~; '", 'VALUE'],
    ['$(date)', 'VALUE'],
    ['x'.repeat(41), 'VALUE'],
    ['2026-01-01T00:00:00Z', '2026-01-01T00:00:00Z'],
  ])('puts nothing into a command that a shell would read otherwise: %s', (value, told) => {
    const [, how] = warningsOf(DEPLOYMENT, {}, { 'tagpin.dev/refresh': value }) ?? [];
    expect(how).toContain(`"tagpin.dev/refresh":"${told}"`);
  });

  it('repeats no name that an object cannot have', () => {
    const object = pinned(DEPLOYMENT, { 'tagpin.dev/skip': 'true' }, 'a; reboot');
    const request = { object, more: { name: 'a; reboot' } };
    const [, how] = new Admission().review(DEPLOYMENT, request).response.warnings ?? [];
    expect(how).toContain('kubectl patch deployment NAME -n shop');
  });
});
