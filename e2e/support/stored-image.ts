import { type ImageStore, OCI, type StoredDescriptor } from '../../test/support/image-store.ts';
import { type PushTarget, pushBlob, putManifest } from './image.ts';

/**
 * Pushes all that a test made, blobs first, and puts one of its manifests under the tag; gives that
 * one's digest.
 *
 * @throws Error when the registry refuses a part of it
 */
export async function pushStore(
  target: PushTarget,
  { blobs, manifests }: ImageStore,
  tagged: StoredDescriptor,
): Promise<string> {
  await Promise.all(
    [...blobs].map(([digest, { mediaType, bytes }]) =>
      pushBlob(target, { mediaType, digest, bytes, size: bytes.length }),
    ),
  );
  // A registry takes no index before what it names.
  for (const [digest, { mediaType, bytes }] of manifests) {
    const names = digest === tagged.digest ? [digest, target.tag] : [digest];
    for (const name of names) {
      // oxlint-disable-next-line no-await-in-loop -- in their order
      await putManifest(target, { mediaType, digest, bytes, size: bytes.length }, name);
    }
  }
  return tagged.digest;
}

/** An index of two platforms, with what BuildKit and cosign add, and layers of each compression. */
export interface SampleIndex {
  readonly index: StoredDescriptor;
  readonly amd64: StoredDescriptor;
  readonly arm64: StoredDescriptor;
  readonly attestation: StoredDescriptor;
  readonly signature: StoredDescriptor;
  readonly config: StoredDescriptor;
  readonly layers: readonly StoredDescriptor[];
}

/** @param layers of both platforms */
export function putSampleIndex(
  store: ImageStore,
  layers: readonly StoredDescriptor[],
): SampleIndex {
  const config = configOf('amd64', layers);
  const amd64 = store.image(config, layers);
  const arm64 = store.image(configOf('arm64', layers), layers);
  const statement = store.blob('application/vnd.in-toto+json', { _type: 'statement' });
  const predicate = { 'in-toto.io/predicate-type': 'https://slsa.dev/provenance/v1' };
  const attestation = store.image({ os: 'unknown', architecture: 'unknown' }, [
    { ...statement, annotations: predicate },
  ]);
  const artifactType = 'application/vnd.dev.cosign.artifact.sig.v1+json';
  const signature = store.manifest({
    artifactType,
    config: store.blob(OCI.empty, {}),
    layers: [store.blob('application/vnd.dev.cosign.simplesigning.v1+json', { critical: {} })],
    subject: amd64,
  });
  const index = store.index([
    { ...amd64, platform: { os: 'linux', architecture: 'amd64' } },
    { ...arm64, platform: { os: 'linux', architecture: 'arm64', variant: 'v8' } },
    {
      ...attestation,
      platform: { os: 'unknown', architecture: 'unknown' },
      annotations: {
        'vnd.docker.reference.type': 'attestation-manifest',
        'vnd.docker.reference.digest': amd64.digest,
      },
    },
    { ...signature, artifactType },
  ]);
  const image = { index, amd64, arm64, attestation, signature };
  return { ...image, config: store.blob(OCI.config, config), layers };
}

function configOf(architecture: string, layers: readonly StoredDescriptor[]): object {
  return {
    os: 'linux',
    architecture,
    created: '2024-05-01T10:00:00Z',
    config: { User: '1000', Env: ['A=b'], Entrypoint: ['/entry'], ExposedPorts: { '80/tcp': {} } },
    rootfs: { type: 'layers', diff_ids: [] },
    history: layers.map((_, index) => ({ created_by: `COPY ${index}` })),
  };
}
