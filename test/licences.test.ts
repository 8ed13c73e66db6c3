import { readFileSync } from 'node:fs';
import { join } from 'node:path';

import { describe, expect, it } from '@jest/globals';

interface LockedPackage {
  readonly license?: string;
  readonly dev?: boolean;
  readonly devOptional?: boolean;
  readonly hasInstallScript?: boolean;
  readonly os?: readonly string[];
  readonly cpu?: readonly string[];
}

const LOCK = JSON.parse(
  readFileSync(join(import.meta.dirname, '..', 'package-lock.json'), 'utf8'),
) as { readonly packages: Readonly<Record<string, LockedPackage>> };

/** By SPDX names: all may be distributed with a program under the Apache License 2.0, unchanged. */
const ALLOWED = new Set([
  '0BSD',
  'Apache-2.0',
  'BSD-2-Clause',
  'BSD-3-Clause',
  'BlueOak-1.0.0',
  'ISC',
  'MIT',
  'PSF-2.0',
  'Unlicense',
]);

/** What the image and the package for npm hold beside the program itself. */
const SHIPPED = Object.entries(LOCK.packages).filter(
  ([path, { dev, devOptional }]) => path !== '' && dev !== true && devOptional !== true,
);

describe('the packages of the image', () => {
  it('are under licences that allow it', () => {
    const others = SHIPPED.filter(([, { license = '' }]) => !ALLOWED.has(license));
    expect(SHIPPED.length).toBeGreaterThan(100);
    expect(others.map(([path, { license }]) => `${path}: ${license}`)).toEqual([]);
  });

  // The Dockerfile installs them on the platform of the builder, for an image of any.
  it('are the same for every processor, and nothing of them is compiled or run when installed', () => {
    const special = SHIPPED.filter(
      ([, { os, cpu, hasInstallScript }]) => os ?? cpu ?? hasInstallScript,
    );
    expect(special.map(([path]) => path)).toEqual([]);
  });
});
