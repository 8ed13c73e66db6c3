import { PinError } from '../errors.ts';
import { isJsonObject, type JsonObject } from '../json.ts';
import { outlineJson } from './json-outline.ts';

const OCI_INDEX = 'application/vnd.oci.image.index.v1+json';
const DOCKER_LIST = 'application/vnd.docker.distribution.manifest.list.v2+json';
const OCI_MANIFEST = 'application/vnd.oci.image.manifest.v1+json';
const DOCKER_MANIFEST = 'application/vnd.docker.distribution.manifest.v2+json';

const INDEX_TYPES: ReadonlySet<string> = new Set([OCI_INDEX, DOCKER_LIST]);
const SUPPORTED_TYPES: ReadonlySet<string> = new Set([
  ...INDEX_TYPES,
  OCI_MANIFEST,
  DOCKER_MANIFEST,
]);
const SCHEMA_1_TYPES: ReadonlySet<string> = new Set([
  'application/vnd.docker.distribution.manifest.v1+json',
  'application/vnd.docker.distribution.manifest.v1+prettyjws',
]);
// What servers say that do not know what they store: plain files, object stores, some registries.
// The body decides then.
const VAGUE_TYPES: ReadonlySet<string> = new Set([
  '',
  'application/json',
  'application/octet-stream',
  'binary/octet-stream',
  'text/plain',
]);

/** RFC 6838 section 4.2. */
const MEDIA_TYPE = /^[a-z0-9][a-z0-9!#$&^_.+-]{0,126}\/[a-z0-9][a-z0-9!#$&^_.+-]{0,126}$/i;

/** Tells whether `text` is a media type, without parameters. */
export function isMediaType(text: string): boolean {
  return MEDIA_TYPE.test(text);
}

/** All that is read of a manifest. */
const FIELDS = ['schemaVersion', 'mediaType', 'manifests', 'layers', 'config', 'fsLayers'] as const;

/**
 * The `Accept` header of every manifest request. Index types come first: there are registries that
 * honour only the first type, and one that gets no index type serves one platform's manifest, whose
 * digest runs on no other. One header, not four: not every server joins repeated ones.
 */
export const MANIFEST_ACCEPT: string = [...SUPPORTED_TYPES].join(', ');

/** The same for whoever wants to see what is there: anything else is taken, too. */
export const ANY_MANIFEST_ACCEPT: string = `${MANIFEST_ACCEPT}, */*`;

/** Tells whether a media type is that of a manifest for one platform, or of an artifact. */
export function isManifestType(mediaType: string): boolean {
  return SUPPORTED_TYPES.has(mediaType) && !isIndexType(mediaType);
}

/** Tells whether a media type is that of an index, or of Docker's manifest list. */
export function isIndexType(mediaType: string): boolean {
  return INDEX_TYPES.has(mediaType);
}

/**
 * The media type of a manifest or an index that was fetched. `Content-Type` and body must agree: a
 * document that one reader takes for an index and another for a manifest runs different content
 * under one digest (GHSA-mc8v-mgrf-8f4m).
 *
 * @throws PinError `invalid_response` when the body is no JSON object, `unsupported_manifest` when
 * it is contradictory, of schema 1 or nothing a runtime pulls
 */
export function recogniseManifest(contentType: string | undefined, body: Uint8Array): string {
  const manifest = outlineManifest(body);
  const announced = essence(contentType ?? '');
  if (SCHEMA_1_TYPES.has(announced) || manifest['schemaVersion'] === 1 || 'fsLayers' in manifest) {
    throw unsupported('it has schema 1, which current runtimes no longer pull');
  }
  const stated = manifest['mediaType'];
  const isVague = VAGUE_TYPES.has(announced);
  if (!isVague && stated !== undefined && stated !== announced) {
    throw unsupported('its mediaType is not the Content-Type it was served under');
  }
  const mediaType = isVague ? (stated ?? typeByShape(manifest)) : announced;
  if (typeof mediaType !== 'string' || !SUPPORTED_TYPES.has(mediaType)) {
    throw unsupported('its media type is none of an image');
  }
  requireShape(mediaType, manifest);
  return mediaType;
}

/**
 * What a document under `manifests/` is said to be, whatever it is: an image, an index, an artifact,
 * something older. Nothing is checked; whoever reads its fields asks {@link recogniseManifest}, with
 * this in place of the `Content-Type`.
 */
export function statedManifestType(contentType: string | undefined, body: Uint8Array): string {
  const announced = essence(contentType ?? '');
  if (!VAGUE_TYPES.has(announced) && MEDIA_TYPE.test(announced)) return announced;
  const manifest = outlineOf(body);
  const stated = manifest?.['mediaType'];
  if (typeof stated === 'string' && MEDIA_TYPE.test(stated)) return stated;
  return (manifest && typeByShape(manifest)) ?? 'application/octet-stream';
}

/** Its fields alone: a registry is a tenant's choice, and the values of 4 MiB take some 250 MB. */
function outlineManifest(body: Uint8Array): JsonObject {
  let manifest: JsonObject | undefined;
  try {
    manifest = outlineJson(body, FIELDS);
  } catch {
    throw new PinError('invalid_response', 'Cannot read the manifest: it is not JSON');
  }
  if (manifest === undefined) {
    throw new PinError('invalid_response', 'Cannot read the manifest: it is no JSON object');
  }
  return manifest;
}

/** The same; undefined of what is no JSON object. */
function outlineOf(body: Uint8Array): JsonObject | undefined {
  try {
    return outlineJson(body, FIELDS);
  } catch {
    return undefined;
  }
}

/** The media type without its parameters, which the distribution specification has clients ignore. */
function essence(contentType: string): string {
  return (contentType.split(';', 1)[0] ?? '').trim().toLowerCase();
}

/** OCI documents may leave `mediaType` out; Docker's never do (image-spec manifest.md). */
function typeByShape(manifest: JsonObject): string | undefined {
  if (Array.isArray(manifest['manifests'])) return OCI_INDEX;
  if (Array.isArray(manifest['layers']) && isJsonObject(manifest['config'])) return OCI_MANIFEST;
  return undefined;
}

/** The other half of GHSA-mc8v-mgrf-8f4m: a body must have the fields of its own type alone. */
function requireShape(mediaType: string, manifest: JsonObject): void {
  const isIndex = INDEX_TYPES.has(mediaType);
  if ('manifests' in manifest && ('layers' in manifest || 'config' in manifest)) {
    throw unsupported('it is both an index and a manifest');
  }
  if (!Array.isArray(manifest[isIndex ? 'manifests' : 'layers'])) {
    throw unsupported(`it is called ${isIndex ? 'an index' : 'a manifest'} and has not its fields`);
  }
}

function unsupported(reason: string): PinError {
  return new PinError('unsupported_manifest', `Cannot pin this manifest: ${reason}`);
}
