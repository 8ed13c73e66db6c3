/** An access token, and where it is good for anything. */
export interface GoogleToken {
  readonly token: string;
  /** On the clock of `Date.now()`. */
  readonly expiresAtMs: number;
  /** The domain of the APIs of its cloud, such as `googleapis.com`. */
  readonly universe: string;
}

/** Who tagpin is to Google. */
export interface GoogleIdentity {
  readonly load: () => Promise<void>;
  /** Throws PinError `credential_source_failed`. */
  readonly fetchToken: (signal: AbortSignal) => Promise<GoogleToken>;
}
