import fastJsonPatch, { type Operation } from 'fast-json-patch';
import {
  type AdmissionHandler,
  createHandler,
  type HandlerParts,
} from '../../src/admission/handler.ts';
import type { PatchOperation } from '../../src/admission/patch.ts';
import type { Mode } from '../../src/admission/policy.ts';
import type { ImageQuestion, ResolvedImage, ResolveImage } from '../../src/admission/ports.ts';
import type { AdmissionReport } from '../../src/admission/report.ts';
import type { AdmissionResponse } from '../../src/admission/response.ts';
import { PinError } from '../../src/errors.ts';
import type { Digest } from '../../src/image/digest.ts';
import { compileGlobs } from '../../src/image/glob.ts';
import {
  type ImageReference,
  normalizedName,
  type ReferenceForm,
} from '../../src/image/reference.ts';
import { parseExtraKinds } from '../../src/workload/extra-kinds.ts';
import { type Json, type Kind, type RequestParts, reviewOf } from './review.ts';

/** A digest that a test can tell from another by one hexadecimal digit. */
export function digest(digit: string): Digest {
  return `sha256:${digit.repeat(64)}`;
}

/** The record of a template, as the annotation that stands beside its pod spec. */
export function record(entries: Readonly<Record<string, string>>): Json {
  return { 'tagpin.dev/originals': JSON.stringify(entries) };
}

/** What the port was asked, in its order. */
export interface Asked {
  readonly reference: ImageReference;
  readonly question: ImageQuestion;
}

export interface AdmissionOptions {
  readonly mode?: Mode;
  readonly referenceForm?: ReferenceForm;
  readonly skip?: readonly string[];
  readonly allowSkipInEnforce?: boolean;
  readonly refusesShortNames?: boolean;
  /** `group/Kind` of controllers whose Pods are left alone. */
  readonly skipOwner?: readonly string[];
  readonly extraKind?: readonly string[];
  /** Others than those that know nothing. */
  readonly parts?: Partial<
    Pick<HandlerParts, 'refreshPolicy' | 'siblings' | 'isContended' | 'peek'>
  >;
  /** False: the event loop is late. */
  readonly mayLookUp?: boolean;
  /** Instead of the tags below. */
  readonly resolve?: ResolveImage;
}

/** The answer to a review, and what the API server would make of it. */
export interface Answered {
  readonly response: AdmissionResponse;
  readonly patch: readonly PatchOperation[];
  /** The object with the patch applied. */
  readonly object: Json;
  /** Outcomes by key of the record. */
  readonly outcomes: Json;
  readonly report: AdmissionReport;
}

/**
 * The handler with a registry that knows tags by their normalised name: `docker.io/library/nginx:1`.
 * The port is a plain function that answers at once.
 */
export class Admission {
  readonly tags: Map<string, string | PinError>;
  readonly asked: Asked[] = [];
  readonly reports: AdmissionReport[] = [];
  readonly handle: AdmissionHandler;
  readonly #mode: Mode;
  readonly #mayLookUp: boolean;

  constructor(
    tags: Readonly<Record<string, string | PinError>> = {},
    { mode = 'pin', referenceForm = 'digest', skip = [], ...options }: AdmissionOptions = {},
  ) {
    this.tags = new Map(Object.entries(tags));
    this.#mode = mode;
    this.#mayLookUp = options.mayLookUp ?? true;
    const resolve = options.resolve ?? ((reference) => this.#lookUp(reference));
    this.handle = createHandler({
      refusesShortNames: options.refusesShortNames ?? false,
      resolve: (reference, question) => {
        this.asked.push({ reference, question });
        return resolve(reference, question);
      },
      peek: () => undefined,
      isContended: () => false,
      siblings: undefined,
      refreshPolicy: 'restart',
      untouched: {
        isForeignOwner: ({ group, kind }) =>
          options.skipOwner?.includes(`${group}/${kind}`) === true,
      },
      extraKinds: parseExtraKinds(options.extraKind ?? []),
      ...options.parts,
      observe: (report) => this.reports.push(report),
      now: () => 1000,
      decision: {
        isSkipped: compileGlobs(skip),
        allowSkipInEnforce: options.allowSkipInEnforce ?? false,
      },
      referenceForm,
    });
  }

  /** Answers a review whose images are all known at once. */
  review(kind: Kind, parts: RequestParts): Answered {
    const response = this.#call(kind, parts);
    if (response instanceof Promise) throw new Error('the handler answered with a promise');
    return this.#answered(parts, response);
  }

  /** Answers a review whose port may take its time. */
  async reviewLater(kind: Kind, parts: RequestParts): Promise<Answered> {
    return this.#answered(parts, await this.#call(kind, parts));
  }

  #call(kind: Kind, parts: RequestParts): AdmissionResponse | Promise<AdmissionResponse> {
    const review = reviewOf(kind, parts);
    const times = { startedAtMs: 990, deadlineAtMs: 9990 };
    return this.handle({ review, mode: this.#mode, mayLookUp: this.#mayLookUp, ...times });
  }

  #lookUp({ registry, repository, tag = 'latest' }: ImageReference): ResolvedImage | PinError {
    const known = this.tags.get(`${registry}/${repository}:${tag}`);
    if (known === undefined) {
      return new PinError('not_found', `${registry} answered 404 (not found)`, { host: registry });
    }
    return known instanceof PinError
      ? known
      : { digest: known, host: registry, stale: false, ageMs: 0 };
  }

  #answered({ object }: RequestParts, response: AdmissionResponse): Answered {
    const patch = patchIn(response);
    const report = this.reports.at(-1);
    if (report === undefined) throw new Error('the review was not observed');
    return {
      response,
      patch,
      report,
      object: patched(object, patch),
      outcomes: Object.fromEntries(
        report.images.map(({ container, outcome }) => [container, outcome]),
      ),
    };
  }
}

/** The operations of a response; none where there is no patch. */
export function patchIn({ patch }: AdmissionResponse): PatchOperation[] {
  if (patch === undefined) return [];
  return JSON.parse(Buffer.from(patch, 'base64').toString('utf8')) as PatchOperation[];
}

/** A copy of `object` after the patch, by another's implementation of RFC 6902 that validates it. */
export function patched(object: unknown, patch: readonly PatchOperation[]): Json {
  const copy = JSON.parse(JSON.stringify(object ?? null)) as Json;
  // oxlint-disable-next-line import/no-named-as-default-member -- a CommonJS module without named exports
  return fastJsonPatch.applyPatch(copy, patch as Operation[], true).newDocument;
}

/** The names that were asked for, with tags: `docker.io/library/nginx:1`. */
export function namesOf(asked: readonly Asked[]): string[] {
  return asked.map(({ reference }) => `${normalizedName(reference)}:${reference.tag ?? 'latest'}`);
}
