import { describe, expect, it } from '@jest/globals';
import * as fc from 'fast-check';

import { applyEdits, type Edit } from '../../src/files/edit.ts';
import { imagesIn } from '../../src/files/images.ts';
import { editFor } from '../../src/files/slot.ts';
import { unifiedDiff } from '../../src/files/unified-diff.ts';
import { readManifest } from '../../src/files/yaml.ts';
import { applyDiff } from '../support/diff.ts';
import { manifestFile } from '../support/manifest-files.ts';

const FIND = { extraKinds: new Map(), helmValues: false, readsAll: true };

/** A digest that stands nowhere else. */
function digestOf(index: number): string {
  return `sha256:${String(index).padStart(64, 'f')}`;
}

function pinned(text: string): { readonly edits: Edit[]; readonly values: string[] } {
  const { images, faults } = imagesIn(text, FIND);
  expect(faults).toEqual([]);
  const values = images.map((_, index) => `r.io/new@${digestOf(index)}`);
  return { edits: images.map(({ slot }, index) => editFor(slot, values[index] ?? '')), values };
}

describe('applyEdits()', () => {
  it('changes the image values of a file, and no other byte', () => {
    let found = 0;
    fc.assert(
      fc.property(manifestFile, ({ text, references }) => {
        const { edits, values } = pinned(text);
        const after = applyEdits(text, edits);
        // Each new value put back by the old one gives the file back.
        const back = values.reduce(
          (whole, value, index) => whole.replace(value, references[index] ?? ''),
          after,
        );
        expect(values).toHaveLength(references.length);
        expect(back).toBe(text);
        expect(parsed(after)).toEqual(withImages(parsed(text), values));
        found += values.length;
      }),
      { numRuns: 500 },
    );
    expect(found).toBeGreaterThan(1000);
  });

  it('counts the same edit once, and refuses others that overlap', () => {
    const edit = { start: 1, end: 2, text: 'x' };
    expect(applyEdits('abc', [edit, edit])).toBe('axc');
    expect(() => applyEdits('abc', [edit, { ...edit, text: 'y' }])).toThrow('overlap');
  });
});

describe('unifiedDiff()', () => {
  it('leads from the file before to the file after', () => {
    fc.assert(
      fc.property(manifestFile, ({ text }) => {
        const { edits } = pinned(text);
        const diff = unifiedDiff('f.yaml', text, edits);
        expect(applyDiff(text, diff)).toBe(applyEdits(text, edits));
      }),
      { numRuns: 200 },
    );
  });

  it('says nothing where nothing changes', () => {
    expect(unifiedDiff('f.yaml', 'a\n', [])).toBe('');
  });

  it('counts lines that were added above', () => {
    const text = Array.from({ length: 20 }, (_, index) => `l${index}\n`).join('');
    const edits = [
      { start: 2, end: 2, text: '\nadded' },
      { start: text.length - 4, end: text.length - 1, text: 'end' },
    ];
    const diff = unifiedDiff('f.yaml', text, edits);
    expect(diff.match(/^@@.*$/gm)).toEqual(['@@ -1,4 +1,5 @@', '@@ -17,4 +18,4 @@']);
    expect(applyDiff(text, diff)).toBe(applyEdits(text, edits));
  });

  it('has three lines of context, a hunk for each distant change, and marks an open end', () => {
    const lines = Array.from({ length: 20 }, (_, index) => `l${index + 1}`);
    const text = lines.join('\n');
    const at = text.indexOf('l2\n');
    const edits = [
      { start: at, end: at + 2, text: 'new' },
      { start: text.length - 3, end: text.length, text: 'end' },
    ];
    expect(unifiedDiff('d/f.yaml', text, edits).split('\n')).toEqual([
      '--- a/d/f.yaml',
      '+++ b/d/f.yaml',
      '@@ -1,5 +1,5 @@',
      ' l1',
      '-l2',
      '+new',
      ' l3',
      ' l4',
      ' l5',
      '@@ -17,4 +17,4 @@',
      ' l17',
      ' l18',
      ' l19',
      '-l20',
      '\\ No newline at end of file',
      '+end',
      '\\ No newline at end of file',
      '',
    ]);
  });
});

function parsed(text: string): unknown[] {
  return readManifest(text).documents.map(({ value }) => value);
}

/** The documents with every image of a container replaced, in their order. */
function withImages(documents: unknown[], values: readonly string[]): unknown {
  let next = 0;
  const json = JSON.stringify(documents, (key, value: unknown) => {
    const isContainers = key === 'containers' && Array.isArray(value);
    if (!isContainers) return value;
    return value.map((item: object) => ({ ...item, image: values[next++] }));
  });
  return JSON.parse(json);
}
