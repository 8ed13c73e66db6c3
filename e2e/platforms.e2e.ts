import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import * as fc from 'fast-check';

import { createImageDocuments } from '../src/contents/image-documents.ts';
import { manifestFor } from '../src/contents/platforms.ts';
import type { Registries } from '../src/contents/registries.ts';
import { PinError } from '../src/errors.ts';
import { isDigest } from '../src/image/digest.ts';
import { formatPlatform, parsePlatform } from '../src/image/platform.ts';
import { parseReference } from '../src/image/reference.ts';
import { isJsonObject, textOf } from '../src/json.ts';
import { registriesOf } from '../test/support/registries.ts';
import {
  anyTree,
  flatTree,
  nearlyPlatformText,
  platformText,
  type Tree,
} from './containerd/arbitraries.ts';
import { type Documents, documentsOf, type WrittenDescriptor } from './containerd/documents.ts';
import { Oracle } from './oracle/client.ts';
import { binaryPath, buildBinaries } from './support/binaries.ts';

const BUILD_TIMEOUT_MS = 600_000;
const RUNS = { numRuns: 3000 };
// A comparison of nothing but refusals would show nothing.
const ENOUGH = 150;

interface Question {
  readonly platform: string;
  readonly documents?: Readonly<Record<string, string>>;
  readonly root?: WrittenDescriptor;
}

interface Answer {
  readonly error?: string;
  readonly platform?: {
    readonly os: string;
    readonly architecture: string;
    readonly variant?: string;
    readonly 'os.version'?: string;
    readonly 'os.features'?: readonly string[];
    readonly text: string;
  };
  readonly chosen?: string;
}

let oracle: Oracle<Question, Answer>;

beforeAll(async () => {
  await buildBinaries(['containerd-oracle']);
  oracle = new Oracle(binaryPath('containerd-oracle'));
}, BUILD_TIMEOUT_MS);
afterAll(() => oracle.close());

describe('parsePlatform()', () => {
  it('reads and writes what containerd does', async () => {
    let accepted = 0;
    await fc.assert(
      fc.asyncProperty(nearlyPlatformText, async (text) => {
        const { platform } = await oracle.ask({ platform: text });
        const ours = outcome(() => parsePlatform(text));
        expect(ours === undefined).toBe(platform === undefined);
        if (ours === undefined || platform === undefined) return;
        accepted += 1;
        expect(ours).toEqual({
          os: platform.os,
          architecture: platform.architecture,
          variant: platform.variant ?? '',
          osVersion: platform['os.version'] ?? '',
          osFeatures: platform['os.features'] ?? [],
        });
        expect(formatPlatform(ours)).toBe(platform.text);
      }),
      RUNS,
    );
    expect(accepted).toBeGreaterThan(ENOUGH);
  });
});

describe('manifestFor()', () => {
  it('chooses what containerd does where every entry says what it is for', async () => {
    let found = 0;
    await fc.assert(
      fc.asyncProperty(platformText, flatTree, async (wanted, tree) => {
        const [theirs, ours] = await choices(wanted, tree);
        expect(ours).toBe(theirs);
        if (theirs !== undefined) found += 1;
      }),
      RUNS,
    );
    expect(found).toBeGreaterThan(ENOUGH);
  });

  it('chooses what containerd does in indexes of anything, and looks on where it finds nothing', async () => {
    let found = 0;
    await fc.assert(
      fc.asyncProperty(platformText, anyTree, async (wanted, tree) => {
        const [theirs, ours] = await choices(wanted, tree);
        if (theirs === undefined) return;
        expect(ours).toBe(theirs);
        found += 1;
      }),
      RUNS,
    );
    expect(found).toBeGreaterThan(ENOUGH);
  });
});

/** The names of what containerd and tagpin choose; undefined for nothing. */
async function choices(
  platform: string,
  tree: Tree,
): Promise<readonly [string | undefined, string | undefined]> {
  const documents = documentsOf(tree);
  const { texts, root } = documents;
  const { chosen } = await oracle.ask({ platform, documents: Object.fromEntries(texts), root });
  return [chosen, await ourChoice(platform, documents)];
}

async function ourChoice(platform: string, documents: Documents): Promise<string | undefined> {
  const wanted = outcome(() => parsePlatform(platform));
  if (wanted === undefined) return undefined;
  const image = `a.b/c@${documents.root.digest}`;
  const opened = createImageDocuments(image, registriesWith(documents));
  const found = await manifestFor(wanted, opened).catch((caught: unknown) => {
    if (caught instanceof PinError && caught.code === 'not_found') return undefined;
    throw caught;
  });
  const manifest: unknown = JSON.parse(documents.texts.get(found?.digest ?? '') ?? 'null');
  const annotations = isJsonObject(manifest) ? manifest['annotations'] : undefined;
  return isJsonObject(annotations) ? textOf(annotations, 'name') : undefined;
}

/** Registries that have these documents in one repository. */
function registriesWith({ texts }: Documents): Registries {
  const bytesOf = (digest: string): Uint8Array => Buffer.from(texts.get(digest) ?? '');
  return registriesOf({
    manifest: async (image) => {
      const { digest = '' } = parseReference(image);
      if (!isDigest(digest)) throw new Error(`${digest} is none`);
      return { digest, mediaType: '', bytes: bytesOf(digest) };
    },
    blob: async (_, digest) => ({
      sizeBytes: undefined,
      content: (async function* () {
        yield bytesOf(digest);
      })(),
    }),
  });
}

/** What `act` gives, or undefined for a PinError; any other error fails the test. */
function outcome<T>(act: () => T): T | undefined {
  try {
    return act();
  } catch (caught) {
    if (caught instanceof PinError) return undefined;
    throw caught;
  }
}
