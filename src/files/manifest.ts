/** How a text is written: a block scalar is one of `|` and `>`. */
export type Style = 'plain' | 'quoted' | 'block' | 'alias';

/** A value of a document as it stands in the text; offsets count UTF-16 units, the end excluded. */
export interface Written {
  readonly start: number;
  readonly end: number;
  readonly style: Style;
  readonly value: unknown;
  /** Inside of `{}` or `[]`, where a comment or a line break may not be added. */
  readonly inFlow: boolean;
  /** Only what is anchored can be taken along by an alias. */
  readonly isAnchored: boolean;
  /** For an alias, the value it stands for. */
  readonly target?: Written;
  /** For a member of a map: where its key begins. */
  readonly keyStart?: number;
}

/** One document of a file of YAML or JSON. */
export interface ManifestDocument {
  /** Counts from 1. */
  readonly index: number;
  readonly value: unknown;
  /** The value at a path, through aliases and merge keys; undefined where there is none. */
  readonly at: (path: readonly string[]) => Written | undefined;
  /** Offsets of all aliases of the value that begins at an offset. */
  readonly aliasesOf: (start: number) => readonly number[];
}

/** Line and column of an offset, both from 1. */
export interface Position {
  readonly line: number;
  readonly column: number;
}

/** Why a file cannot be read, and where. */
export interface Fault extends Position {
  readonly message: string;
}

export interface Manifest {
  readonly documents: readonly ManifestDocument[];
  readonly faults: readonly Fault[];
  readonly positionOf: (offset: number) => Position;
}
