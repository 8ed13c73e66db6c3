import { actionIn } from '../error-codes.ts';
import { SKIP_ANNOTATION } from '../workload/annotations.ts';
import type { Outlook } from './outlook.ts';
import type { Owner } from './owners.ts';
import { untoldOf } from './place.ts';
import type { Forecast, OnboardPlan } from './plan.ts';

/** What the settings of the webhook add to what is told. */
export interface PlanWords {
  /** Whether `enforce` honours the skip annotation. */
  readonly allowSkipInEnforce: boolean;
}

/** A plan for programs; keys without a value are left out. */
export function plainPlan(plan: OnboardPlan, words: PlanWords): object {
  const { namespace, mode, counts, flags, owners, pinned, unread } = plan;
  return {
    namespace,
    ...(mode !== undefined && { mode }),
    unchanged: counts,
    next: plan.next.map((forecast) => ({
      ...placed(forecast),
      pinned: forecast.pinned,
      with: bringerOf(forecast, plan),
      ...moved(forecast),
      ...untold(forecast),
    })),
    failed: plan.failed.map((forecast) => ({
      ...placed(forecast),
      ...why(forecast, namespace),
      ...moved(forecast),
    })),
    ...(flags !== undefined && { registries: { flags } }),
    owners: owners.map((owner) => plainOwner(owner, namespace)),
    leftAlone: plan.leftAlone.map((outlook) => ({
      ...placed(outlook),
      outcome: outlook.outcome,
      ...(outlook.reason !== undefined && { reason: outlook.reason }),
      message: whyLeft(outlook, words),
    })),
    pinned,
    unread,
  };
}

/** What brings a digest: the next change of a template, or each new Pod by itself. */
export function bringerOf(
  { place }: Pick<Forecast, 'place'>,
  { podsAlone }: Pick<OnboardPlan, 'podsAlone'>,
): 'rollout' | 'pod' {
  return podsAlone ? 'pod' : place.next;
}

/** Why an image is left alone, and what `enforce` does with it. */
export function whyLeft({ outcome, reason }: Outlook, words: PlanWords): string {
  if (outcome === 'skipped' && reason === 'annotation') {
    const said = `${SKIP_ANNOTATION} says so`;
    return words.allowSkipInEnforce ? said : `${said}; "enforce" ignores that`;
  }
  return LEFT[outcome] ?? outcome;
}

const LEFT: Readonly<Partial<Record<Outlook['outcome'], string>>> = {
  skipped: '--skip names it; "enforce" asks the list tagpin-skip-list',
  never_pulled: 'it is never pulled, so that no registry is asked; "enforce" refuses it',
  not_an_image: 'it names no image; "enforce" refuses it',
  mirror: 'its node made it of a file',
};

function placed({ place }: Pick<Outlook, 'place'>): object {
  const { workload, label, image, pods } = place;
  return { kind: workload.kind, name: workload.name, place: label, image, pods };
}

function why({ error }: Outlook, namespace: string): object {
  if (error === undefined) return {};
  const { code, message } = error;
  return { reason: code, message, advice: actionIn(namespace, code) };
}

function moved({ moves }: Forecast): object {
  if (moves.length === 0) return {};
  return {
    moved: moves.map(({ digest, pods, names, served }) => ({
      digest,
      pods,
      names,
      served: served ?? 'unknown',
    })),
  };
}

function untold({ place }: Forecast): object {
  const pods = untoldOf(place);
  return pods === 0 ? {} : { untold: pods };
}

function plainOwner({ reference, leftAlone, outlooks, specs }: Owner, namespace: string): object {
  const { apiVersion, kind, name } = reference;
  return {
    apiVersion,
    kind,
    name,
    leftAlone,
    images: outlooks.map((outlook) => ({
      place: outlook.place.label,
      image: outlook.place.image,
      ...(outlook.pinned === undefined ? why(outlook, namespace) : { pinned: outlook.pinned }),
    })),
    specs: specs.map((spec) => ({
      apiVersion: spec.reference.apiVersion,
      kind: spec.reference.kind,
      name: spec.reference.name,
      paths: [...spec.paths].flatMap(([image, paths]) => paths.map((path) => ({ image, ...path }))),
      ...(spec.problem !== undefined && { problem: spec.problem }),
    })),
  };
}
