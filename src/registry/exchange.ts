import type { Connection } from './connection.ts';
import type { Sender } from './sender.ts';

/** One request; its signal ends it, body included. */
export interface RegistryRequest {
  readonly method: 'GET' | 'HEAD' | 'POST';
  readonly url: URL;
  readonly headers: Readonly<Record<string, string>>;
  /** A form, which may hold a secret: it is sent once, to no other place. */
  readonly form?: URLSearchParams | undefined;
  readonly signal: AbortSignal;
  readonly maxBodyBytes: number;
  /** A token endpoint is never followed elsewhere: it would be sent the credential. */
  readonly followRedirects: boolean;
  /** For this origin alone, which the operator named: a redirect to another one leaves it behind. */
  readonly connection?: Connection | undefined;
  /** Whose answer leads there; nobody's where an image does. */
  readonly sender?: Sender | undefined;
  /** What it is for, where it is not for a part of an image. */
  readonly purpose?: 'token';
}

export interface RegistryResponse {
  readonly status: number;
  /** The values of a header, in the order in which they came; none where it is absent. */
  readonly header: (name: string) => readonly string[];
  readonly body: Buffer;
  /** Where the answer came from, after redirects. */
  readonly url: URL;
  /** Who led there. */
  readonly sender?: Sender | undefined;
}

/** An answer whose body may be on its way. */
export interface OpenResponse extends RegistryResponse {
  /** To be read once; undefined where the status is not 200, and all of the body is read. */
  readonly content?: AsyncIterable<Uint8Array>;
}
