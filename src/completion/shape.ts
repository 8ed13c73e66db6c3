/** A command as a shell completes it. */
export interface CommandShape {
  readonly name: string;
  readonly summary: string;
  readonly options: readonly OptionShape[];
  readonly operands: readonly OperandShape[];
  readonly commands: readonly CommandShape[];
}

export interface OptionShape {
  /** `-o` and `--format`; at least one. */
  readonly names: readonly string[];
  readonly summary: string;
  /** Undefined where it takes none. */
  readonly value: ValueShape | undefined;
  readonly isRepeatable: boolean;
}

/** What stands behind the options. */
export interface OperandShape {
  readonly value: ValueShape;
  /** There may be several. */
  readonly isVariadic: boolean;
}

/** What a shell can offer for a value. */
export interface ValueShape {
  /** For a person: `FORMAT`. */
  readonly name: string;
  /** All that it may be; empty where it may be anything. */
  readonly choices: readonly string[];
  readonly wants: 'files' | 'directories' | undefined;
}
