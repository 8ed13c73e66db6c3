import { computeDigest, type Digest } from '../../src/image/digest.ts';
import type { Tree } from './arbitraries.ts';

/** One document as an index above it names it. */
export interface WrittenDescriptor {
  readonly mediaType: string;
  readonly digest: Digest;
  readonly size: number;
}

/** All documents of an image by their digests, and the first of them. */
export interface Documents {
  readonly root: WrittenDescriptor;
  readonly texts: ReadonlyMap<string, string>;
}

const MEDIA_TYPES = {
  index: 'application/vnd.oci.image.index.v1+json',
  manifest: 'application/vnd.oci.image.manifest.v1+json',
  config: 'application/vnd.oci.image.config.v1+json',
} as const;

/** Writes an image. Each manifest has a name of its own as annotation, `0.2.1`: its places from the root on. */
export function documentsOf(tree: Tree): Documents {
  const texts = new Map<string, string>();
  const write = (kind: keyof typeof MEDIA_TYPES, content: object): WrittenDescriptor => {
    const text = JSON.stringify(content);
    const digest = computeDigest(Buffer.from(text));
    texts.set(digest, text);
    return { mediaType: MEDIA_TYPES[kind], digest, size: text.length };
  };
  const writeTree = (part: Tree, name: string): WrittenDescriptor => {
    if ('config' in part) {
      const config = write('config', part.config);
      return write('manifest', { ...SCHEMA, config, layers: [], annotations: { name } });
    }
    const manifests = part.entries.map((entry, index) => ({
      ...writeTree(entry, `${name}.${index}`),
      platform: entry.platform,
    }));
    return write('index', { ...SCHEMA, manifests, annotations: { name } });
  };
  return { root: writeTree(tree, '0'), texts };
}

const SCHEMA = { schemaVersion: 2 };
