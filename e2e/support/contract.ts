import { readFileSync } from 'node:fs';

import { computeDigest } from '../../src/image/digest.ts';
import { MANIFEST_ACCEPT } from '../../src/image/manifest.ts';
import type { TokenAccount } from '../../test/support/token-server.ts';
import { type Format, pushImage, pushIndex } from './image.ts';
import { ACCOUNT, type Registry } from './registry.ts';

/** A manifest or an index as a registry serves it under its tag. */
export interface Content {
  readonly repository: string;
  readonly tag: string;
  readonly mediaType: string;
  readonly bytes: Buffer;
  readonly digest: string;
}

/** What anybody may pull where the registry tells its repositories apart. */
export const PUBLIC = 'public/';
/** What nobody may pull but the account. */
export const PRIVATE = 'private/';

/** Whom the registries of the contract know. */
export const PULLER: TokenAccount = { ...ACCOUNT, identityToken: 'not-a-secret-either' };

const TAG = '1.0';
const GOLDEN: Buffer = readFileSync(new URL('../../test/golden/pause-3.2.index', import.meta.url));
const GOLDEN_TYPE = 'application/vnd.docker.distribution.manifest.list.v2+json';

type Push = (registry: Registry, repository: string) => Promise<string>;

function generated(push: typeof pushImage | typeof pushIndex, format: Format): Push {
  return (registry, repository) => push({ registry, repository, tag: TAG }, format);
}

/** By the last part of the repository's name. */
const IMAGES: Readonly<Record<string, Push>> = {
  'oci-image': generated(pushImage, 'oci'),
  'docker-image': generated(pushImage, 'docker'),
  'oci-index': generated(pushIndex, 'oci'),
  'docker-index': generated(pushIndex, 'docker'),
  golden: pushGolden,
};

/** The repositories of the contract. */
export const REPOSITORIES: readonly string[] = [PUBLIC, PRIVATE].flatMap((prefix) =>
  Object.keys(IMAGES).map((name) => `${prefix}${name}`),
);

/** Fills a registry that is open to everybody; gives what it then serves, by repository. */
export async function publish(registry: Registry): Promise<ReadonlyMap<string, Content>> {
  const contents = new Map<string, Content>();
  for (const repository of REPOSITORIES) {
    const push = IMAGES[repository.slice(repository.indexOf('/') + 1)];
    if (push === undefined) throw new Error(`Nothing is there to push to ${repository}`);
    // oxlint-disable-next-line no-await-in-loop -- few, and a registry of one process
    const digest = await push(registry, repository);
    // oxlint-disable-next-line no-await-in-loop -- as above
    contents.set(repository, await readBack(registry, repository, digest));
  }
  return contents;
}

async function readBack({ host }: Registry, repository: string, digest: string): Promise<Content> {
  const url = `http://${host}/v2/${repository}/manifests/${TAG}`;
  const response = await fetch(url, { headers: { accept: MANIFEST_ACCEPT } });
  const bytes = Buffer.from(await response.arrayBuffer());
  if (computeDigest(bytes) !== digest) throw new Error(`${repository} was stored otherwise`);
  const mediaType = response.headers.get('content-type') ?? '';
  return { repository, tag: TAG, mediaType, bytes, digest };
}

/** Real bytes of a public registry; what they list is not there, and need not be. */
async function pushGolden({ host }: Registry, repository: string): Promise<string> {
  const url = `http://${host}/v2/${repository}/manifests/${TAG}`;
  const response = await fetch(url, {
    method: 'PUT',
    headers: { 'content-type': GOLDEN_TYPE },
    body: new Uint8Array(GOLDEN),
  });
  if (!response.ok) throw new Error(`PUT ${url} answered ${response.status}`);
  return computeDigest(GOLDEN);
}
