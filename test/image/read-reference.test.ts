import { describe, expect, it } from '@jest/globals';

import { readReference } from '../../src/image/read-reference.ts';

describe('readReference()', () => {
  it('reads what parseReference() does', () => {
    expect(readReference('nginx:1.27')).toEqual({
      registry: 'docker.io',
      repository: 'library/nginx',
      tag: '1.27',
    });
  });

  it.each(['', 'Nginx', 'nginx:', 'nginx@sha256:1', 'a'.repeat(2000)])(
    'has nothing for "%s"',
    (text) => {
      expect(readReference(text)).toBeUndefined();
    },
  );
});
