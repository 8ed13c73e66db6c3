import { describe, expect, it } from '@jest/globals';

import { imagePathsIn } from '../../src/onboard/image-paths.ts';
import { digest } from '../support/admission.ts';

const IMAGE = 'quay.io/team/db:16';

describe('imagePathsIn()', () => {
  it.each<[string, object, object[]]>([
    ['a field', { spec: { imageName: IMAGE } }, [{ path: 'spec.imageName' }]],
    [
      'items of lists, in their order',
      { spec: { a: [{ image: 'x' }, { image: IMAGE }], b: [IMAGE] } },
      [{ path: 'spec.a[1].image' }, { path: 'spec.b[0]' }],
    ],
    [
      'keys that are no names',
      { spec: { 'a.b/c': { image: IMAGE }, '0': IMAGE } },
      [{ path: 'spec["0"]' }, { path: 'spec["a.b/c"].image' }],
    ],
    [
      'repository and tag side by side',
      { spec: { repository: 'quay.io/team/db', tag: '16' } },
      [{ path: 'spec.repository', tagPath: 'spec.tag' }],
    ],
    [
      'a registry in a field of its own',
      { spec: { registry: 'quay.io', repository: 'team/db', version: '16' } },
      [{ path: 'spec.repository', tagPath: 'spec.version' }],
    ],
    ['the image under data of no spec', { data: { image: IMAGE } }, [{ path: 'data.image' }]],
    ['nothing of another tag', { spec: { image: 'quay.io/team/db:17' } }, []],
    ['nothing of a name without a tag', { spec: { repository: 'quay.io/team/db' } }, []],
    ['nothing of the end of a longer name', { spec: { repository: 'db', tag: '16' } }, []],
    ['nothing in its metadata', { metadata: { annotations: { last: IMAGE } } }, []],
    ['nothing in its status', { status: { image: IMAGE } }, []],
  ])('finds %s', (_, object, paths) => {
    expect(imagePathsIn({ ...object }, IMAGE)).toEqual(paths);
  });

  it('takes an image without a tag for a whole field alone', () => {
    expect(imagePathsIn({ spec: { image: 'nginx', name: 'nginx' } }, 'nginx')).toEqual([
      { path: 'spec.image' },
      { path: 'spec.name' },
    ]);
  });

  it('looks for an image by digest as it stands', () => {
    const image = `nginx@${digest('a')}`;
    expect(imagePathsIn({ spec: { image } }, image)).toEqual([{ path: 'spec.image' }]);
  });

  it('stops at twenty paths, at a depth, and at a number of values', () => {
    const many = { spec: Array.from({ length: 100 }, () => IMAGE) };
    expect(imagePathsIn(many, IMAGE)).toHaveLength(20);

    let deep: object = { image: IMAGE };
    for (let depth = 0; depth < 10_000; depth += 1) deep = { deep };
    expect(imagePathsIn({ spec: deep }, IMAGE)).toEqual([]);

    const before = Array.from({ length: 200_000 }, () => 0);
    expect(imagePathsIn({ spec: [before, IMAGE] }, IMAGE)).toEqual([]);
  });
});
