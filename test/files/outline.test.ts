import { describe, expect, it } from '@jest/globals';
import * as fc from 'fast-check';

import { documentOf, parseDocuments } from '../../src/files/composed.ts';
import { documentTexts } from '../../src/files/documents.ts';
import type { ManifestDocument } from '../../src/files/manifest.ts';
import { type Outline, readOutline } from '../../src/files/outline.ts';
import { readManifest } from '../../src/files/yaml.ts';
import { blockYaml } from '../support/block-yaml.ts';
import { manifestFile } from '../support/manifest-files.ts';

const START = 7;

function outlineOf(text: string): Outline | undefined {
  return readOutline({ text, start: START });
}

/** The only document of a text, as the parser reads it. */
function parsed(text: string): ManifestDocument {
  const documents = parseDocuments(text).map((document) =>
    documentOf(document, { text, start: START }, 1),
  );
  expect(documents).toEqual([expect.objectContaining({ index: 1 })]);
  return documents[0] as ManifestDocument;
}

/** All places in a value, as the keys that lead to them. */
function placesIn(value: unknown, path: readonly string[] = []): (readonly string[])[] {
  if (typeof value !== 'object' || value === null) return [path];
  const members = Object.entries(value);
  return [path, ...members.flatMap(([name, member]) => placesIn(member, [...path, name]))];
}

function expectSame(outline: Outline, text: string): void {
  const document = parsed(text);
  expect(outline.value).toEqual(document.value);
  const places = [...placesIn(document.value), ['none'], ['a', '0', 'none']];
  const told = places.filter((path) => outline.at(path) !== 'unknown');
  expect(told.map((path) => outline.at(path))).toEqual(told.map((path) => document.at(path)));
}

const POD = `--- # a pod
kind: Pod
metadata:
  labels: &labels
    app: web # the shop's
spec:
  # containers:
  containers:
  - name: "web"
    image: r.io:5000/a/web:1.2 # here

    args: ["--listen=:8080", '-v']
    ports: [{containerPort: 80}]
  -   name: 'side car'
      image: 'b'
      resources: {}
  selector: *labels
`;

describe('readOutline()', () => {
  it('reads what manifests are made of, and says where each text stands', () => {
    const outline = outlineOf(POD);
    expect(outline?.value).toEqual(parsed(POD).value);
    const at = (...path: string[]): unknown => outline?.at(['spec', 'containers', ...path]);
    const start = START + POD.indexOf('r.io');
    expect(at('0', 'image')).toEqual({
      start,
      end: start + 'r.io:5000/a/web:1.2'.length,
      keyStart: start - 'image: '.length,
      style: 'plain',
      value: 'r.io:5000/a/web:1.2',
      inFlow: false,
      isAnchored: false,
    });
    expect(at('1', 'name')).toMatchObject({ style: 'quoted', value: 'side car' });
    expect(at('1', 'none')).toBeUndefined();
    expect(at('1', 'resources')).toBe('unknown');
  });

  it.each([
    ['no end of a line', 'a: b'],
    ['ends of lines of Windows', 'a: b # c\r\nd:\r\n  - e\r\n'],
    ['lists in the column of their key', 'a:\n- b\n- c: d\n  e: f\ng: h\n'],
    ['lists in lists', '- - a\n  - b\n-\n  - c\n- - - d\n'],
    ['numbers, truths and nothing', 'a: 1\nb: 0x1f\nc: true\nd: null\ne:\nf: .inf\ng: 1.10\n'],
    ['texts like numbers', 'a: 100m\nb: 1.2.3\nc: 127.0.0.1:5000/a:1\nd: yes\ne: 1:30\n'],
    ['odd quotes', `a: "b\\n\\u00e9"\nc: 'it''s'\n`],
    ['marks that are none', 'a: b#c\nd: e:f\ng: -h\ni: $(J)\nk: l, m]\n'],
    ['white space of other scripts', 'a: é語\n# 語\n'],
    ['comments in every column', 'a:\n# b\n      # c\n  d: e\n # f\ng: h\n# i'],
  ])('reads %s as the parser does', (_, text) => {
    const outline = outlineOf(text);
    expect(outline).toBeDefined();
    if (outline !== undefined) expectSame(outline, text);
  });

  it.each([
    ['a block scalar', 'a: |\n  b\n'],
    ['a text that goes on', 'a: b\n  c\n'],
    ['a number that goes on', 'a: 1\n  2\n'],
    ['a list that goes on', 'a: [b,\n  c]\n'],
    ['quotes that go on', 'a: "b\n  c"\n'],
    ['a merge', 'a: &a\n  b: c\nd:\n  <<: *a\n'],
    ['a tag', 'a: !!str 1\n'],
    ['a template', 'a: {{ .Values.b }}\n'],
    ['a key in quotes', '"a": b\n'],
    ['a key that is a number', '1: b\n'],
    ['a key that is none', 'null: b\n'],
    ['an anchor twice', 'a: &l b\nc: &l d\ne: *l\n'],
    ['an anchor in braces', 'a: &l b\nc: [&l d]\ne: *l\n'],
    ['an alias in braces', 'a: &l b\nc: [*l]\n'],
    ['an alias of what it is in', 'a: &b\n  c: *b\n'],
    ['a byte order mark', '\uFEFFa: b\n'],
    ['a tab', 'a:\tb\n'],
    ['the end of a document', 'a: b\n...\n'],
    ['a text', 'a\n'],
    ['nothing', '# a\n'],
    ['many aliases', `a: &l b\nc:\n${'- *l\n'.repeat(11)}`],
    ['many levels', `${'- '.repeat(1000)}a\n`],
  ])('leaves %s to the parser', (_, text) => {
    expect(outlineOf(text)).toBeUndefined();
    expect(readManifest(text).documents.length + readManifest(text).faults.length).toBeLessThan(2);
  });

  it.each([
    ['a key twice', 'a: b\na: c\n'],
    ['a map inside of a value', 'a: b: c\n'],
    ['a value below another', 'a: b\n  c: d\n'],
    ['a column that nothing began', 'a:\n    b: c\n  d: e\n'],
    ['a list after a map', 'a: b\n- c\n'],
    ['a map after a list', '- a\nb: c\n'],
    ['an alias of nothing', 'a: *b\n'],
    ['an anchored alias', 'a: &a x\nb: &b *a\n'],
    ['quotes with something behind', 'a: "b" c\n'],
    ['quotes that stay open', 'a: "b\n'],
    ['quotes that stay open behind one that is escaped', "a: 'b''\n"],
    ['a mark that begins no text', 'a: @b\n'],
  ])('leaves it to the parser to refuse %s', (_, text) => {
    expect(outlineOf(text)).toBeUndefined();
    expect(readManifest(text).faults).toHaveLength(1);
  });

  it('reads whatever it reads as the parser does', () => {
    let read = 0;
    fc.assert(
      fc.property(blockYaml, (text) => {
        const outline = outlineOf(text);
        if (outline === undefined) return;
        read += 1;
        expectSame(outline, text);
      }),
      { numRuns: 3000 },
    );
    expect(read).toBeGreaterThan(500);
  });

  it('reads documents of manifests as the parser does', () => {
    let read = 0;
    fc.assert(
      fc.property(manifestFile, ({ text }) => {
        for (const part of documentTexts(text)) {
          const outline = outlineOf(part.text);
          if (outline === undefined) continue;
          read += 1;
          expectSame(outline, part.text);
        }
      }),
      { numRuns: 300 },
    );
    expect(read).toBeGreaterThan(30);
  });
});
