import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { describe, expect, it } from '@jest/globals';

import type { Lookup } from '../../src/registry/client.ts';
import { createCompactor } from '../../src/resolve/compactor.ts';

const LOOKUP: Lookup = {
  digest: `sha256:${'0'.repeat(64)}`,
  mediaType: 'application/vnd.oci.image.index.v1+json',
  source: 'header',
  host: 'registry.example.com',
  attempts: 2,
};

/** A text that is a part of a longer one, as the host of an image is in a review. */
function partOf(text: string, rest: number): string {
  return JSON.stringify(text + '-'.repeat(rest)).slice(1, text.length + 1);
}

function heapBytes(): number {
  setFlagsFromString('--expose-gc');
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- as the flag has it
  (runInNewContext('gc') as () => void)();
  return process.memoryUsage().heapUsed;
}

describe('createCompactor()', () => {
  it.each<Lookup>([LOOKUP, { ...LOOKUP, mediaType: undefined, source: 'body' }])(
    'leaves a look-up as it is (%j)',
    (lookup) => {
      expect(createCompactor().compact(lookup)).toStrictEqual(lookup);
    },
  );

  it.each(['', 'app', 'registry.example.com/app:1.0 anonymous', 'größe/日本'])(
    'leaves a text as it is (%j)',
    (text) => {
      expect(createCompactor().flat(text)).toBe(text);
    },
  );

  it('keeps nothing alive that a text was a part of', () => {
    const { flat, compact } = createCompactor();
    const entries = 5000;
    const before = heapBytes();
    const kept = Array.from({ length: entries }, (_, n) => ({
      key: flat(partOf(`registry.example.com/team/app:${n} anonymous`, 4000)),
      lookup: compact({
        ...LOOKUP,
        host: partOf(`registry-${n % 10}.example.com`, 4000),
        mediaType: partOf(`application/vnd.oci.image.index.v1+json`, 4000),
      }),
    }));
    const bytes = (heapBytes() - before) / kept.length;
    expect(bytes).toBeLessThan(1000);
  });

  it('confuses no texts where there are more than it shares', () => {
    const { compact } = createCompactor();
    const hosts = Array.from({ length: 2000 }, (_, n) => `registry-${n}.example.com`);
    expect(hosts.map((host) => compact({ ...LOOKUP, host }).host)).toStrictEqual(hosts);
  });
});
