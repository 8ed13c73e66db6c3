/** TLS as the operator wants it for one host; whatever is left out is as ever. */
export interface TlsSettings {
  /** Differs where any of the others does. */
  readonly id: string;
  /** PEM, in addition to the authorities of the system. */
  readonly ca?: readonly string[];
  /** The client's certificate and its key, PEM. */
  readonly cert?: string;
  readonly key?: string;
  /** Any certificate will do. */
  readonly skipVerify?: boolean;
}

/** How a host is connected to of which the operator's own files say something. */
export interface Connection {
  /** They name this host: it may have private addresses, any port, and speak plain http. */
  readonly named: boolean;
  readonly tls?: TlsSettings;
  /** Milliseconds. */
  readonly connectTimeoutMs?: number;
}
