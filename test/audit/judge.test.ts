import { describe, expect, it } from '@jest/globals';

import { type AuditRegistries, createJudge } from '../../src/audit/judge.ts';
import type { Use } from '../../src/audit/use.ts';
import type { ResolvedImage, TagPage } from '../../src/contents/registries.ts';
import type { PinErrorCode } from '../../src/error-codes.ts';
import { PinError } from '../../src/errors.ts';
import type { Digest } from '../../src/image/digest.ts';
import { digest } from '../support/admission.ts';

const INDEX = 'application/vnd.oci.image.index.v1+json';
const MANIFEST = 'application/vnd.oci.image.manifest.v1+json';
const OLD = digest('a');
const NEW = digest('b');

const USE: Use = {
  workload: { namespace: 'shop', kind: 'Deployment', name: 'web' },
  place: 'container "web"',
  image: `r.example/app@${OLD}`,
  original: 'r.example/app:1',
  inTemplate: true,
  pods: 1,
  account: { namespace: 'shop', pullSecrets: [], serviceAccount: 'default' },
};

type Answer = readonly [digest: Digest, mediaType: string] | PinErrorCode;

interface Scene {
  readonly answers: Readonly<Record<string, Answer>>;
  readonly pages?: readonly TagPage[];
  /** In the index that the tag names. */
  readonly entries?: readonly string[];
  readonly isMixed?: boolean;
  readonly isPinnedInPods?: boolean;
  readonly use?: Partial<Use>;
}

interface Asked {
  readonly images: string[];
  readonly registries: AuditRegistries;
}

/** Registries that answer for `r.example/app` and what follows it: `:1`, `@sha256:…`. */
function registriesOf(scene: Scene): Asked {
  const { answers, pages = [] } = scene;
  const images: string[] = [];
  return {
    images,
    registries: {
      resolve: (image) => {
        images.push(image);
        const answer = answers[image.replace('r.example/app', '')] ?? 'not_found';
        if (typeof answer === 'string') return Promise.reject(new PinError(answer, answer));
        const [found, mediaType] = answer;
        return Promise.resolve({ digest: found, mediaType } satisfies ResolvedImage);
      },
      // oxlint-disable-next-line require-await -- pages come one after the other
      tags: async function* () {
        yield* pages;
      },
      entries: () => Promise.resolve(new Set(scene.entries)),
    },
  };
}

async function statesOf(scene: Scene): Promise<string[]> {
  const judge = createJudge({
    registries: registriesOf(scene).registries,
    isMixed: scene.isMixed ?? false,
    isPinnedInPods: () => scene.isPinnedInPods ?? false,
  });
  return (await judge({ ...USE, ...scene.use })).map(({ state }) => state);
}

const SERVED = { [`@${OLD}`]: [OLD, INDEX] } as const;
const MOVED = { ...SERVED, ':1': [NEW, INDEX] } as const;

const ONE_PLATFORM = { ...MOVED, [`@${OLD}`]: [OLD, MANIFEST] } as const;

function page(tags: readonly string[], manifests?: TagPage['manifests']): TagPage {
  return { tags, manifests };
}

function listedAs(tags: readonly string[]): NonNullable<TagPage['manifests']> {
  const unknown = { mediaType: undefined, sizeBytes: undefined };
  const times = { createdAtMs: undefined, uploadedAtMs: undefined };
  return new Map([[OLD, { tags, ...unknown, ...times }]]);
}

describe('createJudge', () => {
  it.each<[string, string[], Scene]>([
    ['nothing of what its tag names', [], { answers: { ...SERVED, ':1': [OLD, INDEX] } }],
    ['an image without a digest', ['unpinned'], { answers: {}, use: { image: 'r.example/app:1' } }],
    [
      'a template whose Pods have digests',
      ['pinned_in_pods'],
      { answers: {}, use: { image: 'r.example/app:1' }, isPinnedInPods: true },
    ],
    ['what no parser reads', ['unknown'], { answers: {}, use: { image: 'R E' } }],
    [
      'a tag that moved, while another still names the digest',
      ['moved'],
      { answers: { ...MOVED, ':old': [OLD, INDEX] }, pages: [page(['1', 'old'])] },
    ],
    [
      'a tag that moved, and no other names the digest',
      ['moved', 'untagged'],
      { answers: MOVED, pages: [page(['1'])] },
    ],
    ['a tag that is gone', ['tag_gone', 'untagged'], { answers: SERVED }],
    ['a digest that is gone', ['gone'], { answers: { ':1': [NEW, INDEX] } }],
    ['a registry that does not answer', ['unknown'], { answers: { [`@${OLD}`]: 'unavailable' } }],
    [
      'a tag that cannot be looked up',
      ['unknown', 'untagged'],
      { answers: { ...SERVED, ':1': 'rate_limited' } },
    ],
    [
      'an unknown original that some tag names',
      [],
      { answers: MOVED, use: { original: undefined }, pages: [page([], listedAs(['5']))] },
    ],
    [
      'an unknown original that Google lists without a tag',
      ['untagged'],
      { answers: MOVED, use: { original: undefined }, pages: [page([], listedAs([]))] },
    ],
    [
      'one platform of what its tag names, on nodes of several',
      ['one_platform'],
      { answers: ONE_PLATFORM, entries: [OLD], isMixed: true },
    ],
    ['nothing of that on nodes of one', [], { answers: ONE_PLATFORM, entries: [OLD] }],
    [
      'a tag that moved to an index',
      ['moved', 'untagged'],
      { answers: ONE_PLATFORM, entries: [NEW], isMixed: true },
    ],
    [
      'an image that never had more than one platform, on nodes of several',
      [],
      { answers: { [`@${OLD}`]: [OLD, MANIFEST], ':1': [OLD, MANIFEST] }, isMixed: true },
    ],
  ])('tells of %s: %j', async (_what, states, scene) => {
    expect(await statesOf(scene)).toEqual(states);
  });

  it('says nothing of tags where there are more than it may ask for, or one cannot be asked', async () => {
    const many = Array.from({ length: 101 }, (_, index) => `t${index}`);
    expect(await statesOf({ answers: MOVED, pages: [page(many)] })).toEqual(['moved']);
    const sick = { answers: { ...MOVED, ':2': 'unavailable' as const }, pages: [page(['2'])] };
    expect(await statesOf(sick)).toEqual(['moved']);
  });

  it('asks each question once, and again for another namespace', async () => {
    const { images, registries } = registriesOf({ answers: { ...SERVED, ':1': [OLD, INDEX] } });
    const judge = createJudge({ registries, isMixed: false, isPinnedInPods: () => false });
    const elsewhere = { ...USE, account: { ...USE.account, namespace: 'team' } };
    await Promise.all([judge(USE), judge(USE), judge({ ...USE, place: 'container "b"' })]);
    expect(images).toHaveLength(2);
    await judge(elsewhere);
    expect(images).toHaveLength(4);
  });

  it('reads an index once, however many workloads run one platform of it', async () => {
    const { registries } = registriesOf({ answers: ONE_PLATFORM });
    let reads = 0;
    const entries: AuditRegistries['entries'] = () => {
      reads += 1;
      return Promise.resolve(new Set([OLD]));
    };
    const parts = { registries: { ...registries, entries }, isMixed: true };
    const judge = createJudge({ ...parts, isPinnedInPods: () => false });
    await Promise.all([judge(USE), judge({ ...USE, place: 'container "b"' })]);
    expect(reads).toBe(1);
  });
});
