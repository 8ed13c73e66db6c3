import { describe, expect, it } from '@jest/globals';

import { applyEdits } from '../../src/files/edit.ts';
import { type FileImages, type FindOptions, imagesIn } from '../../src/files/images.ts';
import { editFor } from '../../src/files/slot.ts';
import { parseExtraKinds } from '../../src/workload/extra-kinds.ts';
import { KINDS, objectOf, specOf } from '../support/review.ts';

const NONE: FindOptions = { extraKinds: new Map(), helmValues: false, readsAll: true };
const DIGEST = 'sha256:ab';

function find(text: string, options: Partial<FindOptions> = {}): FileImages {
  return imagesIn(text, { ...NONE, ...options });
}

/** The file with every image replaced. */
function replaced(text: string, options: Partial<FindOptions> = {}): string {
  const { images } = find(text, options);
  const edits = images.map(({ slot, holds }) =>
    editFor(slot, holds === 'digest' ? DIGEST : `new@${DIGEST}`),
  );
  return applyEdits(text, edits);
}

function pod(containers: string, more = ''): string {
  return `apiVersion: v1\nkind: Pod\nmetadata:\n  name: p\n  namespace: shop\n${more}spec:\n  containers:\n${containers}`;
}

describe('imagesIn()', () => {
  it.each(KINDS)('finds all images of a $kind', (kind) => {
    const spec = {
      ...specOf({ web: 'a:1' }),
      initContainers: [{ name: 'init', image: 'b:1' }],
      ephemeralContainers: [{ name: 'debug', image: 'c:1' }],
      volumes: [
        { name: 'data', image: { reference: 'd:1' } },
        { name: 'tmp', emptyDir: {} },
      ],
    };
    const apiVersion = kind.group === '' ? 'v1' : `${kind.group}/v1`;
    const object = { ...objectOf(kind, { spec }), apiVersion, kind: kind.kind };
    const path = kind.template.map((step) => `/${step}`).join('');
    expect(find(JSON.stringify(object)).images).toMatchObject([
      { reference: 'a:1', label: 'container "web"', path: `${path}/spec/containers/0/image` },
      { reference: 'b:1', label: 'init container "init"' },
      { reference: 'c:1', label: 'ephemeral container "debug"' },
      {
        reference: 'd:1',
        label: 'image volume "data"',
        path: `${path}/spec/volumes/0/image/reference`,
      },
    ]);
  });

  it('says where an image stands, and to whom it belongs', () => {
    const text = `# head\n---\n${pod('  - name: web\n    image:  "nginx:1"\n')}`;
    expect(find(text).images).toMatchObject([
      {
        document: 1,
        line: 11,
        column: 13,
        object: { kind: 'Pod', name: 'p', namespace: 'shop' },
        reference: 'nginx:1',
      },
    ]);
  });

  it('looks into lists, of any kind and of one', () => {
    const item = { metadata: { name: 'a' }, spec: specOf({ web: 'x:1' }) };
    const list = { apiVersion: 'v1', kind: 'PodList', items: [item] };
    const any = { apiVersion: 'v1', kind: 'List', items: [list, 7] };
    expect(find(JSON.stringify(any)).images).toMatchObject([
      {
        path: '/items/0/items/0/spec/containers/0/image',
        object: { kind: 'Pod', name: 'a', pointer: '/items/0/items/0' },
      },
    ]);
  });

  it('looks into a list whose items come from elsewhere', () => {
    const pods = pod('    - image: nginx\n').replaceAll(/^/gm, '    ').trimEnd();
    const text = `x: &x\n  items:\n  -\n${pods}\nkind: List\napiVersion: v1\n<<: *x\n`;
    expect(find(text).images).toMatchObject([{ path: '/items/0/spec/containers/0/image' }]);
    expect(replaced(text)).toBe(text.replace('nginx', `new@${DIGEST}`));
  });

  it('parses no document that can hold no image, and counts it all the same', () => {
    const text = `a: "x\n---\n${pod('  - image: a\n')}---\n\tb: 1\n---\n"im\\u0061ge": [\n`;
    expect(find(text, { readsAll: false })).toMatchObject({
      images: [{ document: 2, line: 10, reference: 'a' }],
      faults: [{ line: 15 }],
    });
    expect(find(text).faults).toHaveLength(3);
    const template = '{{- if .pods }}\nkind: List\n{{- end }}\n';
    expect(find(template, { readsAll: false }).faults).toHaveLength(1);
  });

  it.each([
    ['a kind that has no pod template', 'kind: ConfigMap\ndata: {image: "nginx"}\n'],
    ['the same kind of another group', 'apiVersion: x.io/v1\nkind: Deployment\nspec: {}\n'],
    ['something that is no object', '- image: nginx\n'],
    ['an empty file', ''],
    ['an empty image, and the placeholder of injectors', pod('  - image: ""\n  - image: auto\n')],
    ['an image that is not given', pod('  - image:\n  - name: x\n')],
  ])('finds nothing in %s', (_, text) => {
    expect(find(text)).toMatchObject({ images: [], faults: [] });
  });

  it('finds the template of a kind that an operator names', () => {
    const extraKinds = parseExtraKinds(['argoproj.io/Rollout=spec.template']);
    const text =
      'apiVersion: argoproj.io/v1\nkind: Rollout\nspec: {template: {spec: {containers: [{image: a}]}}}\n';
    expect(find(text, { extraKinds }).images).toMatchObject([{ reference: 'a' }]);
    expect(find(text).images).toEqual([]);
  });
});

describe('an image that is edited', () => {
  it.each<[string, string, string]>([
    ['plain', 'image: nginx:1 # c', `image: new@${DIGEST} # c`],
    ['in single quotes', "image: 'nginx:1'", `image: 'new@${DIGEST}'`],
    ['in double quotes, escaped', 'image: "nginx\\u003a1"', `image: "new@${DIGEST}"`],
    ['tagged and anchored', 'image: &i !!str nginx', `image: &i !!str new@${DIGEST}`],
    ['a block', 'image: |- # c\n      nginx', `image: |- # c\n      new@${DIGEST}`],
  ])('keeps its form: %s', (_, before, after) => {
    const [old, expected] = [before, after].map((field) => pod(`  - name: a\n    ${field}\n`));
    expect(replaced(old ?? '')).toBe(expected);
  });

  it('is found once where an alias repeats it, and takes the alias along', () => {
    const text = pod('  - image: &i nginx\n  - image: *i\n');
    expect(find(text).images).toHaveLength(2);
    expect(replaced(text)).toBe(pod(`  - image: &i new@${DIGEST}\n  - image: *i\n`));
  });

  it('takes the place of an alias of something that is no image', () => {
    const labels = '  labels: {version: &v "nginx"}\n';
    expect(replaced(pod('  - image: *v # c\n', labels))).toBe(
      pod(`  - image: new@${DIGEST} # c\n`, labels),
    );
  });

  it('is noted where something follows it that is no image', () => {
    const text = pod('  - image: &i nginx\n    env: [{name: A, value: *i}]\n');
    expect(find(text).notes).toMatchObject([
      { line: 9, message: expect.stringContaining('alias') },
    ]);
  });

  it('is found through merge keys and aliases of whole containers', () => {
    const text = pod('  - &c {name: a, image: nginx}\n  - *c\n  - {<<: *c, name: b}\n');
    expect(find(text).images.map(({ reference }) => reference)).toEqual([
      'nginx',
      'nginx',
      'nginx',
    ]);
    expect(replaced(text)).toBe(text.replace('nginx', `new@${DIGEST}`));
  });

  it.each<[string, string, string | undefined]>([
    ['at the end of its line', 'image: a', ''],
    ['before a comment', 'image: a  # c', 'c'],
    ['in braces', '{image: a, name: b}', undefined],
    ['in braces, at the end of a line', '{"name": "b",\n    "image": "a"\n    }', undefined],
    ['in a block', 'image: |-\n      a', undefined],
  ])('tells whether a comment can follow: %s', (_, field, expected) => {
    const { images } = find(pod(`  - ${field}\n`));
    const comments = images.map(({ slot }) => slot.comment && (slot.comment.existing?.text ?? ''));
    expect(comments).toEqual([expected]);
  });
});

describe('JSON texts that follow one another', () => {
  const [one, other] = ['a:1', 'b{"}:2'].map((image) => ({ kind: 'Pod', apiVersion: 'v1', image }));

  it.each([
    ['line by line', 0, '\n'],
    ['over several lines', 2, '\n'],
    ['without anything between them', 0, ''],
  ])('are documents of their own: %s', (_, indent, between) => {
    const texts = [one, other].map((object) =>
      JSON.stringify(
        { ...object, spec: specOf({ web: 'nginx:1', '}"': 'r.io/b:2' }) },
        null,
        indent,
      ),
    );
    const text = `${texts.join(between)}\n`;
    const { images, faults } = find(text);
    expect(faults).toEqual([]);
    expect(images.map(({ document, reference }) => [document, reference])).toEqual([
      [1, 'nginx:1'],
      [1, 'r.io/b:2'],
      [2, 'nginx:1'],
      [2, 'r.io/b:2'],
    ]);
    expect(replaced(text)).toBe(text.replaceAll(/nginx:1|r\.io\/b:2/g, `new@${DIGEST}`));
    const last = text.lastIndexOf('r.io');
    const line = text.slice(0, last).split('\n').length;
    const column = last - text.lastIndexOf('\n', last);
    expect(images.at(-1)).toMatchObject({ line, column: column - 1 });
  });
});

describe('a file that cannot be read', () => {
  it.each([
    ['a template', '{{- if .x }}\nkind: Pod\n{{- end }}\n', 'looks like a template'],
    ['a template for an image', pod('  - image: {{ .Values.image }}\n'), 'looks like a template'],
    ['a template in quotes', pod('  - image: "{{ .repo }}:{{ .tag }}"\n'), 'looks like a template'],
    ['two members of one name', 'a: 1\na: 2\n', 'unique'],
    ['JSON behind which something else stands', '{"a":1}\n{"b":2}\nc', 'Unexpected'],
    ['JSON texts of which one is broken', '{"a":1}\n{"b":}x}\n', 'Unexpected'],
    ['a number for an image', pod('  - image: 5\n'), 'is no text'],
  ])('is told with its line: %s', (_, text, message) => {
    expect(find(text).faults).toEqual([
      {
        line: expect.any(Number),
        column: expect.any(Number),
        message: expect.stringContaining(message),
      },
    ]);
  });

  it('may be one that aliases would blow up', () => {
    const text = `a: &a [x]\n${level('b', 'a')}${level('c', 'b')}${level('d', 'c')}${level('e', 'd')}`;
    expect(find(text).faults).toMatchObject([{ message: expect.stringContaining('alias') }]);
  });
});

describe('kustomize images', () => {
  const head = 'kind: Kustomization\napiVersion: kustomize.config.k8s.io/v1beta1\nimages:\n';

  it.each<[string, string, string, string]>([
    [
      'a line',
      '- name: a\n  newTag: "1" # c\n',
      'a:1',
      `- name: a\n  newTag: "1" # c\n  digest: ${DIGEST}\n`,
    ],
    [
      'without a line end',
      '- newTag: 1.10\n  name: a',
      'a:1.10',
      `- newTag: 1.10\n  digest: ${DIGEST}\n  name: a`,
    ],
    [
      'CRLF',
      '- name: a\r\n  newTag: x\r\n',
      'a:x',
      `- name: a\r\n  newTag: x\r\n  digest: ${DIGEST}\r\n`,
    ],
    ['braces', '- {name: a, newTag: x}\n', 'a:x', `- {name: a, newTag: x, digest: ${DIGEST}}\n`],
    [
      'a digest that is there',
      `- name: a\n  newName: b\n  digest: "sha256:0"\n`,
      'b@sha256:0',
      `- name: a\n  newName: b\n  digest: "${DIGEST}"\n`,
    ],
    [
      'an empty digest',
      '- name: a\n  newTag: x\n  digest:\n',
      'a:x',
      `- name: a\n  newTag: x\n  digest: ${DIGEST}\n`,
    ],
  ])('take a digest: %s', (...[, entry, reference, expected]) => {
    expect(find(head + entry).images).toMatchObject([{ reference, holds: 'digest' }]);
    expect(replaced(head + entry)).toBe(head + expected);
  });

  it('are left alone without a tag, and found without a kind', () => {
    expect(find(`${head}- name: a\n  newName: b\n`).images).toEqual([]);
    expect(find('images:\n- name: a\n  newTag: x\n').images).toMatchObject([{ reference: 'a:x' }]);
  });
});

describe('Helm values', () => {
  const values =
    'web:\n  image:\n    registry: r.io\n    repository: a\n    tag: "1"\nother: {tag: x}\n';

  it('take a digest on request alone', () => {
    expect(find(values).images).toEqual([]);
    expect(find(values, { helmValues: true }).images).toMatchObject([
      { reference: 'r.io/a:1', label: 'values "web.image"' },
    ]);
    expect(replaced(values, { helmValues: true })).toBe(
      values.replace('tag: "1"\n', `tag: "1"\n    digest: ${DIGEST}\n`),
    );
  });

  it('refuse a tag that a chart would print otherwise', () => {
    const text = 'image:\n  repository: a\n  tag: 1.10\n';
    expect(find(text, { helmValues: true }).faults).toMatchObject([
      { line: 3, message: expect.stringContaining('quotes') },
    ]);
  });
});

describe('parseExtraKinds()', () => {
  it.each(['Rollout=spec.template', 'argoproj.io/Rollout', 'argoproj.io/rollout=spec', 'a/B='])(
    'refuses %s',
    (item) => {
      expect(() => parseExtraKinds([item])).toThrow(
        expect.objectContaining({ code: 'invalid_config', message: expect.stringContaining(item) }),
      );
    },
  );
});

/** An anchored list of ten aliases of another. */
function level(name: string, below: string): string {
  return `${name}: &${name} [${`*${below}, `.repeat(9)}*${below}]\n`;
}
