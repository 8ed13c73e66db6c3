import type { Fault, ManifestDocument, Position } from './manifest.ts';
import type { ObjectName } from './objects.ts';
import type { Slot } from './slot.ts';

/** An image of a file, where it stands and how another is written in its place. */
export interface FoundImage extends Position {
  /** The document of the file, from 1. */
  readonly document: number;
  readonly object: ObjectName;
  /** JSON pointer inside of the document. */
  readonly path: string;
  /** As a message names it: `container "web"`. */
  readonly label: string;
  /** The whole reference; put together where the file holds it in parts. */
  readonly reference: string;
  /** What the slot takes: a reference, or the digest alone. */
  readonly holds: 'reference' | 'digest';
  readonly slot: Slot;
}

/** What the finders of one document share. */
export interface Finding {
  readonly text: string;
  readonly document: ManifestDocument;
  readonly positionOf: (offset: number) => Position;
  readonly images: FoundImage[];
  readonly faults: Fault[];
  readonly notes: Fault[];
}
