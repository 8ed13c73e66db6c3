import { createHash, randomUUID } from 'node:crypto';
import { gzipSync } from 'node:zlib';

import type { Registry } from './registry.ts';

/** Where an image goes. */
export interface PushTarget {
  readonly registry: Registry;
  readonly repository: string;
  readonly tag: string;
}

interface Descriptor {
  readonly mediaType: string;
  readonly digest: string;
  readonly size: number;
}

/** Bytes with what a descriptor says of them. */
export interface Blob extends Descriptor {
  readonly bytes: Buffer;
}

/** The two families of media types that registries hold. */
export type Format = 'oci' | 'docker';

const MEDIA_TYPES = {
  oci: {
    index: 'application/vnd.oci.image.index.v1+json',
    manifest: 'application/vnd.oci.image.manifest.v1+json',
    config: 'application/vnd.oci.image.config.v1+json',
    layer: 'application/vnd.oci.image.layer.v1.tar+gzip',
  },
  docker: {
    index: 'application/vnd.docker.distribution.manifest.list.v2+json',
    manifest: 'application/vnd.docker.distribution.manifest.v2+json',
    config: 'application/vnd.docker.container.image.v1+json',
    layer: 'application/vnd.docker.image.rootfs.diff.tar.gzip',
  },
} as const;

/** What is in an image of one platform. */
export interface ImageContent {
  readonly format: Format;
  readonly architecture: string;
  /** The only layer, as it is before it is compressed. */
  readonly layer?: Buffer;
  /** How it is run: the `config` of the image's configuration. */
  readonly config?: object;
}

/** A tar archive without a member: two zero blocks (POSIX.1-1988, ustar). */
export const EMPTY_TAR: Buffer = Buffer.alloc(1024);

/**
 * Pushes a new image of one platform, different from every other, and gives the digest that the
 * registry must answer for its tag. Pushing the same tag again moves it.
 *
 * @throws Error when the registry refuses a part of it
 */
export async function pushImage(
  target: PushTarget,
  content: Partial<ImageContent> = {},
): Promise<string> {
  const manifest = await pushContent(target, { format: 'oci', architecture: 'amd64', ...content });
  await putManifest(target, manifest, target.tag);
  return manifest.digest;
}

/**
 * Pushes a new image of two platforms, and gives the digest of its index.
 *
 * @throws Error when the registry refuses a part of it
 */
export async function pushIndex(target: PushTarget, format: Format): Promise<string> {
  const index = await pushPlatforms(target, format);
  await putManifest(target, index, target.tag);
  return index.digest;
}

/**
 * Pushes an index of two indexes, one for each platform, with both platforms in each; gives its digest.
 *
 * @throws Error when the registry refuses a part of it
 */
export async function pushNestedIndex(target: PushTarget, format: Format): Promise<string> {
  const manifests = [];
  for (const architecture of ARCHITECTURES) {
    const inner = await pushPlatforms(target, format);
    await putManifest(target, inner, inner.digest);
    manifests.push({ ...descriptor(inner), platform: { os: 'linux', architecture } });
  }
  const index = indexOf(manifests, format);
  await putManifest(target, index, target.tag);
  return index.digest;
}

const ARCHITECTURES = ['amd64', 'arm64'];

/** Everything of an index but itself, which is given. */
async function pushPlatforms(target: PushTarget, format: Format): Promise<Blob> {
  const manifests = [];
  for (const architecture of ARCHITECTURES) {
    const manifest = await pushContent(target, { format, architecture });
    await putManifest(target, manifest, manifest.digest);
    manifests.push({ ...descriptor(manifest), platform: { os: 'linux', architecture } });
  }
  return indexOf(manifests, format);
}

function indexOf(manifests: readonly object[], format: Format): Blob {
  const mediaType = MEDIA_TYPES[format].index;
  return blob(mediaType, { schemaVersion: 2, mediaType, manifests });
}

/**
 * Puts what a tag names under another one too, without new bytes.
 *
 * @throws Error when the registry refuses it
 */
export async function copyTag(target: PushTarget, tag: string): Promise<void> {
  const url = `http://${target.registry.host}/v2/${target.repository}/manifests/${target.tag}`;
  const accept = Object.values(MEDIA_TYPES).flatMap(({ index, manifest }) => [index, manifest]);
  const served = await send(target, url, { headers: { accept: accept.join(', ') } });
  const mediaType = served.headers.get('content-type') ?? '';
  await putManifest(target, blob(mediaType, Buffer.from(served.body)), tag);
}

/** Everything of an image but its manifest, which is given. */
async function pushContent(
  target: PushTarget,
  { format, architecture, layer: archive = EMPTY_TAR, ...image }: ImageContent,
): Promise<Blob> {
  const mediaTypes = MEDIA_TYPES[format];
  const config = blob(mediaTypes.config, {
    architecture,
    os: 'linux',
    author: randomUUID(),
    ...(image.config && { config: image.config }),
    rootfs: { type: 'layers', diff_ids: [sha256(archive)] },
  });
  const layer = blob(mediaTypes.layer, gzipSync(archive));
  await pushBlob(target, config);
  await pushBlob(target, layer);
  return blob(mediaTypes.manifest, {
    schemaVersion: 2,
    mediaType: mediaTypes.manifest,
    config: descriptor(config),
    layers: [descriptor(layer)],
  });
}

/**
 * In two requests, as the distribution specification has it for every registry.
 *
 * @throws Error when the registry refuses it
 */
export async function pushBlob(target: PushTarget, content: Blob): Promise<void> {
  const uploads = `http://${target.registry.host}/v2/${target.repository}/blobs/uploads/`;
  const session = await send(target, uploads, { method: 'POST' });
  const location = new URL(session.headers.get('location') ?? '', uploads);
  location.searchParams.set('digest', content.digest);
  await send(target, location.href, {
    method: 'PUT',
    headers: { 'content-type': 'application/octet-stream' },
    body: new Uint8Array(content.bytes),
  });
}

/**
 * Puts a manifest or an index under a tag or its digest.
 *
 * @throws Error when the registry refuses it
 */
export async function putManifest(
  target: PushTarget,
  content: Blob,
  reference: string,
): Promise<void> {
  const url = `http://${target.registry.host}/v2/${target.repository}/manifests/${reference}`;
  await send(target, url, {
    method: 'PUT',
    headers: { 'content-type': content.mediaType },
    body: new Uint8Array(content.bytes),
  });
}

interface Answer {
  readonly headers: Headers;
  readonly body: Uint8Array;
}

async function send(target: PushTarget, url: string, init: RequestInit): Promise<Answer> {
  const headers = new Headers(init.headers);
  const { account } = target.registry;
  if (account !== undefined) {
    const basic = Buffer.from(`${account.username}:${account.password}`).toString('base64');
    headers.set('authorization', `Basic ${basic}`);
  }
  const response = await fetch(url, { ...init, headers });
  const body = await response.bytes();
  if (!response.ok) {
    const text = Buffer.from(body).toString();
    throw new Error(`${init.method ?? 'GET'} ${url} answered ${response.status}: ${text}`);
  }
  return { headers: response.headers, body };
}

function blob(mediaType: string, content: object): Blob {
  const bytes = Buffer.isBuffer(content) ? content : Buffer.from(JSON.stringify(content));
  return { mediaType, bytes, size: bytes.length, digest: sha256(bytes) };
}

function descriptor({ mediaType, digest, size }: Blob): Descriptor {
  return { mediaType, digest, size };
}

function sha256(bytes: Buffer): string {
  return `sha256:${createHash('sha256').update(bytes).digest('hex')}`;
}
