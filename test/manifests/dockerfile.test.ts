import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from '@jest/globals';

import { nameSlotsOf } from '../../src/registry/name-lookups.ts';
import { readDockerfile, textsOf } from '../support/dockerfile.ts';

const CHECKOUT = join(import.meta.dirname, '..', '..');
const { args, stages } = readDockerfile(join(CHECKOUT, 'Dockerfile'));
const final = stages.at(-1)!;

const manifest = JSON.parse(readFileSync(join(CHECKOUT, 'package.json'), 'utf8')) as {
  scripts: Record<string, string>;
  bin: { tagpin: string };
};

describe('the Dockerfile', () => {
  it('builds on what the builder names, by tag, unless told otherwise', () => {
    expect(args.size).toBe(2);
    for (const base of args.values()) expect(base).toMatch(/^[a-z0-9./-]+:[a-z0-9.-]+$/);
    for (const { base } of stages) {
      const [, name = ''] = /^\$\{([A-Z]+)\}$/.exec(base) ?? [];
      expect([...args.keys()]).toContain(name);
    }
  });

  it('runs what is there: locked installs without scripts, and the build of package.json', () => {
    expect(stages.map((stage) => textsOf(stage, 'RUN'))).toEqual([
      ['npm ci --ignore-scripts', 'npm run build'],
      ['npm ci --omit=dev --ignore-scripts'],
      [],
    ]);
    expect(manifest.scripts).toHaveProperty('build');
  });

  it('takes dist, the modules of run time and package.json into the image', () => {
    expect(textsOf(final, 'COPY')).toEqual([
      '--from=dependencies /app/node_modules ./node_modules',
      '--from=build /app/dist ./dist',
      'package.json LICENSE ./',
    ]);
  });

  it('starts the program of package.json as the user of the Deployment', () => {
    expect(textsOf(final, 'USER')).toEqual(['65532:65532']);
    expect(textsOf(final, 'ENTRYPOINT')).toEqual([`["node", "${manifest.bin.tagpin}"]`]);
    expect(textsOf(final, 'CMD')).toEqual(['["serve"]']);
  });

  it('has room for each name that may be looked up at the same time', () => {
    const [, threads] = /^UV_THREADPOOL_SIZE=(\d+)$/m.exec(textsOf(final, 'ENV').join('\n')) ?? [];
    const slots = nameSlotsOf({ UV_THREADPOOL_SIZE: threads });
    // 64 look-ups at registries that have answered, and 32 at others; names that never resolved have half.
    expect(slots).toBeGreaterThan(64 + 32);
    expect(slots / 2).toBeGreaterThan(32);
  });

  it('finds every file that it copies in the context that .dockerignore leaves', () => {
    const left = readFileSync(join(CHECKOUT, '.dockerignore'), 'utf8')
      .split('\n')
      .filter((line) => line.startsWith('!'))
      .map((line) => line.slice(1));
    const copied = stages
      .flatMap((stage) => textsOf(stage, 'COPY'))
      .filter((text) => !text.startsWith('--from='))
      .flatMap((text) => text.split(' ').slice(0, -1));
    expect([...new Set(copied)].toSorted()).toEqual(left.toSorted());
  });
});
