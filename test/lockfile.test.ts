import { readFileSync } from 'node:fs';
import { join } from 'node:path';

import { describe, expect, it } from '@jest/globals';

interface LockedPackage {
  readonly optionalDependencies?: Readonly<Record<string, string>>;
  readonly resolved?: string;
}

const ROOT = join(import.meta.dirname, '..');
const LOCK = JSON.parse(readFileSync(join(ROOT, 'package-lock.json'), 'utf8')) as {
  readonly packages: Readonly<Record<string, LockedPackage>>;
};

/** Where node looks for a package from a folder: in it, then in those above. */
function candidates(from: string, name: string): string[] {
  const above = from.lastIndexOf('node_modules/');
  const here = from === '' ? `node_modules/${name}` : `${from}/node_modules/${name}`;
  if (from === '') return [here];
  return [here, ...candidates(from.slice(0, Math.max(0, above - 1)), name)];
}

describe('package-lock.json', () => {
  // Where a registry lacks the package of a foreign platform, npm leaves it out of the lock, and
  // `npm ci` then calls the lock incomplete: on that registry, and everywhere.
  it('has an entry for every optional dependency, so that npm ci takes it on any platform', () => {
    const wanted = Object.entries(LOCK.packages).flatMap(([from, { optionalDependencies = {} }]) =>
      Object.keys(optionalDependencies).map((name) => ({ from, name })),
    );
    const missing = wanted.filter(
      ({ from, name }) => !candidates(from, name).some((path) => path in LOCK.packages),
    );
    expect(wanted.length).toBeGreaterThan(50);
    expect(missing).toEqual([]);
  });

  it('names no registry host', () => {
    const resolved = Object.values(LOCK.packages).filter((entry) => entry.resolved !== undefined);
    expect(resolved).toEqual([]);
  });
});
