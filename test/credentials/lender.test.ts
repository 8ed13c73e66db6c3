import { describe, expect, it } from '@jest/globals';

import type { CredentialSource } from '../../src/credentials/credential.ts';
import { createLender } from '../../src/credentials/lender.ts';
import { parseReference } from '../../src/image/reference.ts';

const SOURCE: CredentialSource = {
  name: 'docker_config',
  covers: () => true,
  offersFor: async () => [],
  forget: () => {},
};

describe('createLender()', () => {
  it.each([
    ['*.corp.example/base/*', 'a.corp.example/base/x/y:1', true],
    ['*.corp.example/base/*', 'evil.example/x.corp.example/base/y:1', false],
    ['docker.io/library/*', 'nginx', true],
    ['docker.io/library/*', 'team/app', false],
    ['*', 'evil.example/x', true],
  ])('with the images %s lends for %s: %s', (glob, image, isLent) => {
    const lender = createLender({ sources: [SOURCE], namespaces: ['*'], images: [glob] });
    expect(lender.sourcesFor(parseReference(image))).toEqual(isLent ? [SOURCE] : []);
  });
});
