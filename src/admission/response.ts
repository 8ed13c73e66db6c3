import { cutText } from '../image/cut-text.ts';
import type { AuditAnnotations } from './audit-annotations.ts';
import type { PatchOperation } from './patch.ts';
import { WARNINGS } from './wording.ts';

/** `response` of an AdmissionReview, as the API server reads it. */
export interface AdmissionResponse {
  readonly uid: string;
  readonly allowed: boolean;
  readonly patchType?: 'JSONPatch';
  /** Base64 of the JSON Patch; with `patchType` or not at all. */
  readonly patch?: string;
  readonly warnings?: readonly string[];
  readonly auditAnnotations?: AuditAnnotations;
  readonly status?: Refusal;
}

/** A `Status`, of which the API server tells its caller all (apimachinery pkg/apis/meta/v1). */
interface Refusal {
  readonly code: number;
  readonly reason: string;
  readonly message: string;
  readonly details?: { readonly causes: readonly RefusalCause[] };
}

/** A `StatusCause`. */
interface RefusalCause {
  readonly reason: string;
  readonly message: string;
}

/** Admits the object, changed by `patch` where it is not empty. */
export function allow(
  uid: string,
  patch: readonly PatchOperation[],
  warnings: readonly string[],
): AdmissionResponse {
  return {
    uid,
    allowed: true,
    ...(patch.length > 0 && {
      patchType: 'JSONPatch',
      patch: Buffer.from(JSON.stringify(patch)).toString('base64'),
    }),
    ...(warnings.length > 0 && { warnings: fitWarnings(warnings) }),
  };
}

/** The API server quotes the message of a denial to the user; 4 KiB is more than anyone reads. */
const MAX_MESSAGE_LENGTH = 4096;

/**
 * Refuses the object. The status is always 403: the API server passes the code on, and a
 * registry's 404 or 429 would reach kubectl as its own word.
 */
export function deny(
  uid: string,
  message: string,
  warnings: readonly string[] = [],
): AdmissionResponse {
  return {
    uid,
    allowed: false,
    status: { code: 403, reason: 'Forbidden', message: cutText(message, MAX_MESSAGE_LENGTH) },
    ...(warnings.length > 0 && { warnings: fitWarnings(warnings) }),
  };
}

/** An AdmissionReview as JSON, and how many bytes of UTF-8 that is. */
export interface EncodedReview {
  readonly text: string;
  readonly bytes: number;
}

/**
 * The AdmissionReview around a response. The patch, by far the longest part, is base64: it is put
 * in as it is, where JSON.stringify() would look at each of its characters, and so would a count of
 * its bytes.
 */
export function encodeResponse({ patch, ...response }: AdmissionResponse): EncodedReview {
  const review = { apiVersion: 'admission.k8s.io/v1', kind: 'AdmissionReview', response };
  const rest = JSON.stringify(review);
  const bytes = Buffer.byteLength(rest);
  if (patch === undefined) return { text: rest, bytes };
  const field = `,"patch":"${patch}"`;
  return { text: `${rest.slice(0, -2)}${field}}}`, bytes: bytes + field.length };
}

/**
 * The API server cuts every warning to 256 runes once all of them pass 4096, and drops what comes
 * after (kubernetes/apiserver pkg/endpoints/filters/warning.go). Cut here, the count of those
 * left out can still be told.
 */
const MAX_WARNING_LENGTH = 256;
const MAX_WARNINGS = 15;

function fitWarnings(warnings: readonly string[]): string[] {
  const distinct = [...new Set(warnings)];
  const told = distinct
    .slice(0, MAX_WARNINGS)
    .map((warning) => cutText(warning, MAX_WARNING_LENGTH));
  const left = distinct.length - told.length;
  return left === 0 ? told : [...told, WARNINGS.leftOut(left)];
}
