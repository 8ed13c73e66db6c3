/** A connection to the server of the shared cache. */
export interface Connection {
  /** The first so many characters of a value; empty where there is none. Rejects. */
  readonly read: (name: string, maxChars: number) => Promise<string>;
  /** Rejects. */
  readonly write: (name: string, value: string, ttlMs: number) => Promise<void>;
  /** Resolves with the reason when it is lost. */
  readonly lost: Promise<unknown>;
  readonly close: () => void;
}

/** The server answered, and it is no value: `WRONGPASS` and the like are the whole of what is kept. */
export class RefusedByServer extends Error {
  override readonly name = 'RefusedByServer';
}
