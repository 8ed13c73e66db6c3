/** A request to the API server. */
export interface ApiRequest {
  readonly method: 'GET' | 'POST';
  /** From its root, with its query: `/api/v1/namespaces?limit=1`. */
  readonly path: string;
  readonly body?: object;
}

/** What it answered. */
export interface ApiAnswer {
  readonly status: number;
  /** The message of an answer that is a `Status`. */
  readonly message: string | undefined;
  /** The JSON of the answer; undefined where it is none. */
  readonly value: unknown;
  readonly text: string;
  /** The texts of its `Warning` headers (RFC 9111 section 5.5). */
  readonly warnings: readonly string[];
  /** Its `Date`, in milliseconds since 1970; undefined where it has none. */
  readonly dateMs: number | undefined;
}

/** Asks the API server, as whoever the kubeconfig says. Rejects with PinError where nobody answers. */
export type AskApiServer = (request: ApiRequest) => Promise<ApiAnswer>;
