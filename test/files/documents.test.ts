import { describe, expect, it } from '@jest/globals';
import * as fc from 'fast-check';
import { parseAllDocuments } from 'yaml';

import { documentTexts } from '../../src/files/documents.ts';
import { type FindOptions, imagesIn } from '../../src/files/images.ts';
import { readManifest } from '../../src/files/yaml.ts';
import { manifestFile } from '../support/manifest-files.ts';

const FIND: FindOptions = { extraKinds: new Map(), helmValues: false, readsAll: true };

/** Pieces of which streams of YAML are made, markers in places where they are none among them. */
const pieces = fc.constantFrom(
  'a: 1\n',
  '---\n',
  '--- # c\n',
  '---\r\n',
  '--- |\n  x\n',
  '--- {a: b}\n',
  '---x: 1\n',
  '# c\n',
  '\n',
  '  ---\n',
  'b: |\n  ---\n  x\n',
  'b: "x\n  --- y"\n',
  '...\n',
  '%YAML 1.2\n',
  '- x\n',
);

function wholeValues(text: string): unknown[] {
  return [...parseAllDocuments(text, { merge: true, logLevel: 'error' })].map((document) =>
    document.errors.length > 0 ? 'broken' : document.toJS(),
  );
}

describe('documentTexts()', () => {
  it('gives the documents that the parser finds in the whole file', () => {
    let several = 0;
    fc.assert(
      fc.property(fc.array(pieces, { maxLength: 8 }), fc.boolean(), (parts, hasMark) => {
        const text = (hasMark ? '\uFEFF' : '') + parts.join('');
        const whole = wholeValues(text);
        fc.pre(!whole.includes('broken'));
        const { documents, faults } = readManifest(text);
        expect(faults).toEqual([]);
        expect(documents.map(({ value }) => value)).toEqual(whole);
        expect(documents.map(({ index }) => index)).toEqual(whole.map((_, index) => index + 1));
        if (documentTexts(text).length > 1) several += 1;
      }),
      { numRuns: 2000 },
    );
    expect(several).toBeGreaterThan(100);
  });

  it('leaves out nothing: the images are the same where documents without any are not parsed', () => {
    fc.assert(
      fc.property(manifestFile, ({ text }) => {
        const { images } = imagesIn(text, { ...FIND, readsAll: false });
        expect(images).toEqual(imagesIn(text, FIND).images);
      }),
      { numRuns: 500 },
    );
  });
});
