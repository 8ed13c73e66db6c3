import { setTimeout } from 'node:timers/promises';

import { describe, expect, it } from '@jest/globals';

import { Admission, digest, record } from '../support/admission.ts';
import {
  annotationsOf,
  DEPLOYMENT,
  imagesOf,
  type Json,
  objectOf,
  POD,
  specOf,
} from '../support/review.ts';

const A = digest('a');
const NGINX = 'docker.io/library/nginx:1';
const ORIGINALS = 'tagpin.dev/originals';

describe('createHandler() against strangers', () => {
  const odd = [
    ['1 MB of a name', 'a'.repeat(1_000_000)],
    ['1 MB of colons', ':'.repeat(1_000_000)],
    ['1 MB of slashes', 'a/'.repeat(500_000)],
    ['1 MB of hyphens', `a${'-'.repeat(1_000_000)}`],
    ['NUL', 'nginx\u0000:1'],
    ['emoji', 'nginx:🐳'],
    ['half an emoji', 'nginx:\ud83d'],
    ['a line end', 'nginx:1\n'],
    ['a right-to-left mark', '\u202enginx:1'],
  ] as const;

  it.each(odd)('refuses an image of %s in few words', (_, image) => {
    const object = objectOf(POD, { spec: specOf({ web: image, ok: 'nginx:1' }) });
    const answer = new Admission({ [NGINX]: A }).review(POD, { object });
    expect(answer.outcomes).toEqual({ web: 'failed', ok: 'pinned' });
    expect(imagesOf(POD, answer.object)).toMatchObject({ ok: `nginx@${A}` });
    expect(answer.response.warnings).toHaveLength(1);
    const [warning = ''] = answer.response.warnings ?? [];
    expect(Array.from(warning).length).toBeLessThanOrEqual(256);
    expect(warning).not.toMatch(/\p{C}/u);
    const denied = new Admission({}, { mode: 'enforce' }).review(POD, { object });
    expect(denied.response.status?.message.length).toBeLessThanOrEqual(4096);
  });

  it.each([
    ['a right-to-left override', 'web\u202ebew', 'web\\u202ebew'],
    ['an isolate', '\u2066web\u2069', '\\u2066web\\u2069'],
    ['nothing to be seen', 'w\u200be\u{e0001}b', 'w\\u200be\\udb40\\udc01b'],
    ['a line of its own', 'web\u2028\u0085\n', 'web\\u2028\\u0085\\n'],
    ['half an emoji', 'web\ud83d', 'web\\ud83d'],
  ])('names a container of %s with nothing that moves text', (_, name, shown) => {
    const spec = { containers: [{ name, image: 'nginx:1' }] };
    const object = objectOf(POD, { spec });
    const told = (tags: Record<string, string>, mode: 'pin' | 'enforce' | 'warn'): string => {
      const { response } = new Admission(tags, { mode }).review(POD, { object });
      return response.status?.message ?? response.warnings?.join('; ') ?? '';
    };
    const messages = [told({}, 'enforce'), told({}, 'pin'), told({ [NGINX]: A }, 'warn')];
    for (const message of messages) {
      expect(message).toContain(`container "${shown}"`);
      expect(message).not.toMatch(/[\p{C}\p{Zl}\p{Zp}]/u);
    }
  });

  it('takes a host that is a number for a host', () => {
    const object = objectOf(POD, { spec: specOf({ web: '2130706433:5000/a' }) });
    const admission = new Admission({ '2130706433:5000/a:latest': A });
    expect(imagesOf(POD, admission.review(POD, { object }).object)).toEqual({
      web: `2130706433:5000/a@${A}`,
    });
  });

  it.each(['__proto__', 'constructor', 'toString', '@restartedAt', '', 'a/b~c', '🐳', '\u0000'])(
    'pins a container called %j, twice the same',
    (name) => {
      // Written as text: `__proto__` in a literal would set a prototype.
      const spec = { containers: [{ name, image: 'nginx:1' }] };
      const admission = new Admission({ [NGINX]: A });
      const first = admission.review(POD, { object: objectOf(POD, { spec }) });
      expect(first.object['spec']).toEqual({ containers: [{ name, image: `nginx@${A}` }] });
      expect(String(annotationsOf(POD, first.object)[ORIGINALS])).toBe(
        `{${JSON.stringify(name)}:"nginx:1 ${A}"}`,
      );
      expect(admission.review(POD, { object: first.object }).patch).toEqual([]);
      expect(Object.prototype).not.toHaveProperty('image');
    },
  );

  it('is not misled by annotations that are called like parts of an object', () => {
    const annotations = JSON.parse(
      '{"__proto__": "x", "constructor": "y", "tagpin.dev/skip": 7, "hasOwnProperty": null}',
    ) as Json;
    const object = objectOf(POD, { spec: specOf({ web: 'nginx:1' }), annotations });
    const answer = new Admission({ [NGINX]: A }).review(POD, { object });
    expect(answer.outcomes).toEqual({ web: 'pinned' });
    expect(Object.keys(annotationsOf(POD, answer.object))).toEqual([
      ...Object.keys(annotations),
      ORIGINALS,
    ]);
  });

  const thousands = Array.from({ length: 2000 }, (_, index) => `c${index}`);

  it('pins 2,000 containers of one tag with one question, and records none of them', () => {
    // 2,000 entries would be longer than any record that is read.
    const spec = specOf(Object.fromEntries(thousands.map((name) => [name, 'nginx:1'])));
    const admission = new Admission({ [NGINX]: A });
    const answer = admission.review(DEPLOYMENT, { object: objectOf(DEPLOYMENT, { spec }) });
    expect(new Set(Object.values(imagesOf(DEPLOYMENT, answer.object)))).toEqual(
      new Set([`nginx:1@${A}`]),
    );
    expect(annotationsOf(DEPLOYMENT, answer.object)).toEqual({});
    expect(admission.asked).toHaveLength(1);
  });

  it('asks for 100 tags of 2,000, names the others, and warns in few lines', () => {
    const spec = specOf(Object.fromEntries(thousands.map((name) => [name, `a:${name}`])));
    const tags = thousands.map((name) => [`docker.io/library/a:${name}`, A]);
    const admission = new Admission(Object.fromEntries(tags));
    const answer = admission.review(POD, { object: objectOf(POD, { spec }) });
    expect(admission.asked).toHaveLength(100);
    const outcomes = Object.values(answer.outcomes);
    expect(outcomes.filter((outcome) => outcome === 'pinned')).toHaveLength(100);
    expect(outcomes.filter((outcome) => outcome === 'failed')).toHaveLength(1900);
    expect(answer.report.images.at(-1)?.reason).toBe('too_many_images');
    expect(answer.response.warnings).toHaveLength(16);
    expect(answer.response.warnings?.at(0)).toBe(
      'Cannot resolve "a:c100" for container "c100": an object may name at most 100 images that need a look-up; the tag stays [too_many_images]',
    );
    expect(answer.response.warnings?.at(-1)).toBe('and 1885 more like these');
  });

  // Work that grows with the product of the two would keep every other review waiting for ten
  // seconds and more. The pause lets the runner's own limit for a test see that.
  it.each([
    ['60,000 names to skip', { 'tagpin.dev/skip': ','.repeat(60_000) }, {}],
    [
      'hundreds of pins that do not fit',
      {},
      record(Object.fromEntries(thousands.slice(0, 700).map((name) => [name, `a:1 ${A}`]))),
    ],
  ])('answers for 5,000 containers beside %s', async (_, annotations, known) => {
    const names = Array.from({ length: 5000 }, (__, index) => `n${index}`);
    const pins = Object.fromEntries(thousands.slice(0, 700).map((name) => [name, `b@${A}`]));
    const answer = new Admission({ 'docker.io/library/a:1': A }).review(DEPLOYMENT, {
      oldObject: objectOf(DEPLOYMENT, { spec: specOf(pins), annotations: known }),
      object: objectOf(DEPLOYMENT, {
        spec: specOf(Object.fromEntries(names.map((name) => [name, 'a:1']))),
        annotations,
      }),
    });
    await setTimeout(1);
    expect(new Set(Object.values(answer.outcomes))).toEqual(new Set(['pinned']));
  });

  it('refuses to look at more containers than an object can be stored with', () => {
    const containers = Array.from({ length: 5000 }, (_, index) => ({ name: `c${index}` }));
    const volumes = [{ name: 'models', image: { reference: 'models:1' } }];
    const spec = { containers, volumes };
    const admission = new Admission();
    expect(() => admission.review(POD, { object: objectOf(POD, { spec }) })).toThrow(
      expect.objectContaining({ code: 'review_too_large' }),
    );
    const fewer = objectOf(POD, { spec: { containers } });
    expect(admission.review(POD, { object: fewer }).report.images).toHaveLength(5000);
  });
});
