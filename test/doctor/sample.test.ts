import { describe, expect, it } from '@jest/globals';

import { samplesOf } from '../../src/doctor/sample.ts';

const DIGEST = `sha256:${'a'.repeat(64)}`;

function pod(images: Readonly<Record<string, string>>, originals?: object): object {
  const containers = Object.entries(images).map(([name, image]) => ({ name, image }));
  const annotations = originals && { 'tagpin.dev/originals': JSON.stringify(originals) };
  return { metadata: { annotations }, spec: { containers, serviceAccountName: 'web' } };
}

describe('samplesOf()', () => {
  it.each([
    ['a tag', pod({ web: 'r.example/a:1' }), ['r.example/a:1']],
    [
      'the original of a pin',
      pod({ web: `r.example/a@${DIGEST}` }, { web: `r.example/a:1 ${DIGEST}` }),
      ['r.example/a:1'],
    ],
    ['no digest of somebody', pod({ web: `r.example/a@${DIGEST}` }), []],
    ['nothing that is no image', pod({ web: 'R.example/A:1', side: 'nginx' }), ['nginx']],
    ['each image once', pod({ web: 'nginx', side: 'nginx' }), ['nginx']],
    ['nothing of what is no Pod', { spec: 'x' }, []],
  ])('finds %s', (_what, one, images) => {
    expect(samplesOf([one as never]).map(({ image }) => image)).toEqual(images);
  });
});
