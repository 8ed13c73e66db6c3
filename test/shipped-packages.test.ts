import { execFile } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';

import { describe, expect, it } from '@jest/globals';

interface LockedPackage {
  readonly version: string;
  readonly license?: string;
  readonly dev?: boolean;
  readonly devOptional?: boolean;
  readonly hasInstallScript?: boolean;
  readonly os?: readonly string[];
  readonly cpu?: readonly string[];
}

const ROOT = join(import.meta.dirname, '..');

const LOCK = JSON.parse(readFileSync(join(ROOT, 'package-lock.json'), 'utf8')) as {
  readonly packages: Readonly<Record<string, LockedPackage>>;
};

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

interface Sbom {
  readonly metadata: { readonly component: { readonly name: string } };
  readonly components: readonly { readonly name: string; readonly version: string }[];
}

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

  it('are those of the SBOM', async () => {
    const options = { cwd: ROOT, maxBuffer: 16 * 1024 * 1024 };
    const { stdout } = await promisify(execFile)('npm', ['run', '--silent', 'sbom'], options);
    const { components, metadata } = JSON.parse(stdout) as Sbom;
    const shipped = SHIPPED.map(
      ([path, { version }]) => `${path.replace(/^.*node_modules\//, '')}@${version}`,
    );
    const listed = components.map(({ name, version }) => `${name}@${version}`);
    expect(new Set(listed)).toEqual(new Set(shipped));
    expect(metadata.component.name).toBe('tagpin');
  });
});
