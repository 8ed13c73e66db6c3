import { decode, type InputFile, readText, STDIN, type TextOrProblem } from './disk.ts';

/** The standard streams of a command. */
export interface Streams {
  readonly readInput: () => Promise<Uint8Array>;
  /** Resolve when it is written, or nobody reads it any more. */
  readonly out: (text: string | Uint8Array) => Promise<void>;
  readonly err: (text: string) => Promise<void>;
  /** False as soon as it is known that nobody reads standard output any more: more would be in vain. */
  readonly isRead: () => boolean;
  /** Whether a person sees it. */
  readonly onTerminal: { readonly out: boolean; readonly err: boolean };
  /** Whether standard output is a terminal that shows colours, and they are wanted. */
  readonly colours: boolean;
  /** Whether standard error is a terminal on which a line can be drawn anew. */
  readonly redraws: boolean;
}

/** Reads a file, or standard input where its path is `-`. */
export async function readFrom(
  { path }: Pick<InputFile, 'path'>,
  streams: Streams,
): Promise<TextOrProblem> {
  return path === STDIN ? decode(await streams.readInput()) : readText(path);
}
