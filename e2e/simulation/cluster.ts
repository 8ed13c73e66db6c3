import fastJsonPatch, { type Operation } from 'fast-json-patch';

import type { AdmissionResponse } from '../../src/admission/response.ts';

type Json = Readonly<Record<string, unknown>>;

/** A review on its way to a replica, as the API server sends it. */
export type SendReview = (review: Json) => AdmissionResponse | Promise<AdmissionResponse>;

/** A kind that the API server calls for. */
export interface Kind {
  readonly group: string;
  readonly kind: string;
}

/** An object that is written, and what was there before; CREATE where nothing was. */
export interface Write {
  readonly namespace: string;
  readonly object: Json;
  readonly oldObject?: Json;
}

/** The API server: asks for admission, applies the patch, and knows the Pods of each revision. */
export class ApiServer {
  readonly #send: SendReview;
  /** By selector; a selector has a hash in it that no other workload has. */
  readonly #pods = new Map<string, Json[]>();
  reviews = 0;
  lists = 0;

  constructor(send: SendReview) {
    this.#send = send;
  }

  /** The object as it is stored; a promise where the webhook had to ask somebody. */
  write<T>(kind: Kind, write: Write, store: (object: Json) => T): T | Promise<T> {
    this.reviews += 1;
    const answer = this.#send(reviewOf(kind, write, this.reviews));
    if (!(answer instanceof Promise)) return store(patched(write.object, answer));
    return answer.then((late) => store(patched(write.object, late)));
  }

  keepPod(selector: string, pod: Json, atMost: number): void {
    const pods = this.#pods.get(selector) ?? [];
    this.#pods.set(selector, pods);
    pods.push(pod);
    // Another replica has gone where this one has come.
    if (pods.length > atMost) pods.shift();
  }

  forgetPods(selector: string): void {
    this.#pods.delete(selector);
  }

  podsOf(selector: string): readonly Json[] {
    this.lists += 1;
    return this.#pods.get(selector) ?? [];
  }
}

function reviewOf(
  { group, kind }: Kind,
  { namespace, object, oldObject }: Write,
  uid: number,
): Json {
  return {
    apiVersion: 'admission.k8s.io/v1',
    kind: 'AdmissionReview',
    request: {
      uid: `review-${uid}`,
      kind: { group, version: 'v1', kind },
      operation: oldObject === undefined ? 'CREATE' : 'UPDATE',
      namespace,
      object,
      oldObject,
    },
  };
}

function patched(object: Json, { allowed, patch }: AdmissionResponse): Json {
  if (!allowed) throw new Error('tagpin refused an object in mode pin');
  if (patch === undefined) return object;
  const operations = JSON.parse(Buffer.from(patch, 'base64').toString()) as Operation[];
  return fastJsonPatch.applyPatch(structuredClone(object), operations).newDocument;
}
