import { type Digest, isDigest } from './digest.ts';
import type { Fields } from './document.ts';
import { type Platform, readPlatform } from './platform.ts';

/** What one document says of another, or of a blob (OCI image specification, descriptor.md). */
export interface Descriptor {
  readonly mediaType: string;
  readonly digest: Digest;
  /** Undefined where it is not told. */
  readonly sizeBytes: number | undefined;
  /** Of an entry of an index, where it is told. */
  readonly platform: Platform | undefined;
  readonly artifactType: string | undefined;
  readonly annotations: ReadonlyMap<string, string>;
}

/** @throws PinError `unsupported_manifest` where it has no media type or no digest, or fields of other types */
export function readDescriptor(fields: Fields): Descriptor {
  const mediaType = fields.text('mediaType');
  if (mediaType === undefined) throw fields.wrong('mediaType', 'missing');
  const digest = fields.text('digest');
  if (digest === undefined || !isDigest(digest))
    throw fields.wrong('digest', 'neither of sha256 nor of sha512');
  const platform = fields.object('platform');
  return {
    mediaType,
    digest,
    sizeBytes: fields.count('size'),
    platform: platform && readPlatform(platform),
    artifactType: fields.text('artifactType'),
    annotations: fields.textMap('annotations'),
  };
}
