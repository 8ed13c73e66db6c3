import { PinError } from '../errors.ts';
import { isJsonObject, type JsonObject, objectIn, textOf } from '../json.ts';

/** The part of an `admission.k8s.io/v1` AdmissionReview request that is looked at. */
export interface Review {
  readonly uid: string;
  readonly group: string;
  readonly kind: string;
  readonly subResource: string;
  readonly operation: string;
  readonly namespace: string;
  /** May be empty: the API server invents the name of a Pod after admission. */
  readonly name: string;
  readonly dryRun: boolean;
  /** Who asks, as the API server has authenticated them; of a dry run alone, for nobody else wants it. */
  readonly userInfo?: JsonObject | undefined;
  readonly object: JsonObject | undefined;
  readonly oldObject: JsonObject | undefined;
  /** Of the call, beside its body: which trace of the API server's it is a part of. */
  readonly traceparent?: string | undefined;
}

/**
 * Reads an AdmissionReview. Throws `invalid_review` with the field that is missing or wrong.
 * The namespace is always that of the request: an object of a template may have none.
 */
export function decodeReview(body: unknown, traceparent?: string): Review {
  if (!isJsonObject(body)) throw invalid('the body is no JSON object');
  if (body['apiVersion'] !== 'admission.k8s.io/v1' || body['kind'] !== 'AdmissionReview') {
    throw invalid('apiVersion and kind are not "admission.k8s.io/v1" and "AdmissionReview"');
  }
  const request = objectIn(body, 'request');
  const kind = objectIn(request, 'kind');
  if (request === undefined || fieldOf(request, 'uid') === '') {
    throw invalid('request.uid is missing');
  }
  if (kind === undefined) throw invalid('request.kind is missing');
  const dryRun = request['dryRun'] === true;
  const review: Review = {
    uid: fieldOf(request, 'uid'),
    group: fieldOf(kind, 'group'),
    kind: fieldOf(kind, 'kind'),
    subResource: fieldOf(request, 'subResource'),
    operation: fieldOf(request, 'operation'),
    namespace: fieldOf(request, 'namespace'),
    name: nameOf(request),
    dryRun,
    userInfo: dryRun ? objectIn(request, 'userInfo') : undefined,
    object: objectIn(request, 'object'),
    oldObject: objectIn(request, 'oldObject'),
    traceparent,
  };
  requireObjects(review);
  return review;
}

function fieldOf(parent: JsonObject, field: string): string {
  return textOf(parent, field) ?? '';
}

function nameOf(request: JsonObject): string {
  const asked = fieldOf(request, 'name');
  if (asked !== '') return asked;
  const metadata = objectIn(objectIn(request, 'object'), 'metadata');
  if (metadata === undefined) return '';
  return fieldOf(metadata, 'name') || fieldOf(metadata, 'generateName');
}

function requireObjects(review: Review): void {
  const writes = review.operation === 'CREATE' || review.operation === 'UPDATE';
  if (!writes) return;
  if (review.object === undefined) throw invalid('request.object is missing');
  if (review.operation === 'UPDATE' && review.oldObject === undefined) {
    throw invalid('request.oldObject is missing from an UPDATE');
  }
  if (review.namespace === '') throw invalid('request.namespace is missing');
}

function invalid(what: string): PinError {
  return new PinError('invalid_review', `Cannot read the admission review: ${what}`);
}
