import { ERROR_RULES, type ErrorRule, type PinErrorCode } from './error-codes.ts';

/** What a PinError carries beside its code and message. */
export interface PinErrorDetails {
  /** What went wrong below; for the log, never for the user. */
  readonly cause?: unknown;
  /** The host that answered, or should have. */
  readonly host?: string;
  /** How long the registry asked to be left alone. */
  readonly retryAfterMs?: number;
  /** Whom that is said of: the origin of a registry, as `URL.origin` writes it. */
  readonly limitedBy?: string;
  /** False where nobody was asked, so that nothing new was learnt. */
  readonly asked?: boolean;
  /** Where a request got no answer. */
  readonly silence?: Silence;
  /** What whoever runs the command line can do, where that of the code would mislead. */
  readonly advice?: string;
}

/** A host that was asked and said nothing. */
export interface Silence {
  /** As `URL.origin` writes it. */
  readonly origin: string;
  /** Whether a connection stood: what comes after that may be of one path of the host alone. */
  readonly connected: boolean;
}

/**
 * The one error class. `message` says what was asked, who answered and what, without a credential
 * and without a remote body; it neither starts with a prefix nor ends in a full stop.
 */
export class PinError extends Error {
  override readonly name = 'PinError';
  readonly code: PinErrorCode;
  readonly host: string | undefined;
  readonly retryAfterMs: number | undefined;
  readonly limitedBy: string | undefined;
  readonly asked: boolean;
  readonly silence: Silence | undefined;
  /** What whoever runs the command line can do. */
  readonly advice: string;

  constructor(code: PinErrorCode, message: string, details: PinErrorDetails = {}) {
    super(message, details.cause === undefined ? undefined : { cause: details.cause });
    this.code = code;
    this.host = details.host;
    this.retryAfterMs = details.retryAfterMs;
    this.limitedBy = details.limitedBy;
    this.asked = details.asked ?? true;
    this.silence = details.silence;
    this.advice = details.advice ?? this.rule.actionOnCommandLine ?? this.rule.action;
  }

  get rule(): ErrorRule {
    return ERROR_RULES[this.code];
  }
}

/**
 * The one door for foreign errors. A PinError passes; anything else becomes `internal`, with the
 * original as its cause. `Error.isError` rather than `instanceof`: errors of Node's own modules
 * belong to another realm under the test runner.
 */
export function toPinError(caught: unknown): PinError {
  if (caught instanceof PinError) return caught;
  return new PinError('internal', `Unexpected failure: ${textOf(caught)}`, { cause: caught });
}

function textOf(caught: unknown): string {
  if (Error.isError(caught)) return caught.message;
  if (typeof caught === 'string') return caught;
  // No String(): an object may lack what that asks it for, and this door must not throw itself.
  return `${caught === null ? 'null' : typeof caught} was thrown`;
}
