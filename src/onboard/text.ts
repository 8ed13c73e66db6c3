import { actionIn, type PinErrorCode } from '../error-codes.ts';
import { printable } from '../image/printable.ts';
import type { Move } from './moves.ts';
import type { Outlook } from './outlook.ts';
import type { Owner, OwnerSpec } from './owners.ts';
import { untoldOf } from './place.ts';
import { bringerOf, type PlanWords, whyLeft } from './plain.ts';
import type { Forecast, OnboardPlan } from './plan.ts';

/** A title and what stands below it; nothing where that is empty. */
type Section = readonly [title: string, lines: readonly string[]];

/** A plan for a person, without what could move a terminal's cursor. */
export function planText(plan: OnboardPlan, words: PlanWords): string {
  const sections: readonly Section[] = [
    [
      `Namespace ${JSON.stringify(plan.namespace)}: nothing was changed, and labelling it changes nothing at once`,
      nowLines(plan),
    ],
    ['With the next rollout, and in new Pods until then', nextLines(plan, 'rollout')],
    ['In new Pods alone', nextLines(plan, 'pod')],
    [
      'Cannot be resolved now: in "pin" new Pods run by tag, with a warning; in "enforce" they are refused',
      failedLines(plan),
    ],
    [
      'Registries to be named to the webhook, if you trust them; then run this again',
      flagLines(plan),
    ],
    ['Owners that are not built in: where the digest belongs', plan.owners.flatMap(ownerLines)],
    [
      'Left alone',
      plan.leftAlone.map((outlook) => `${nameOf(outlook)}: ${whyLeft(outlook, words)}`),
    ],
  ];
  return sections
    .filter(([, lines]) => lines.length > 0)
    .map(([title, lines]) => [`${title}:`, ...lines.map((line) => `  ${line}`)])
    .map((lines) => lines.map((line) => `${printable(line)}\n`).join(''))
    .join('\n');
}

function nowLines({ counts, pinned, unread, mode }: OnboardPlan): readonly string[] {
  const { pods, templates } = counts;
  return [
    `${countOf(pods, 'Pod')} and ${countOf(templates, 'template')} stay as they are`,
    ...(pinned > 0
      ? [`${countOf(pinned, 'image')} with a digest already: tagpin audit looks at those`]
      : []),
    ...(unread > 0 ? [`${countOf(unread, 'object')} with more images than are read`] : []),
    ...(mode === undefined ? [] : [`it is labelled already: ${mode}`]),
  ];
}

function nextLines(plan: OnboardPlan, bringer: 'rollout' | 'pod'): readonly string[] {
  return plan.next
    .filter((forecast) => bringerOf(forecast, plan) === bringer)
    .flatMap((forecast) => [
      `${nameOf(forecast)} -> ${forecast.pinned}`,
      ...forecast.moves.map(moveLine),
      ...untoldLines(forecast),
    ]);
}

function untoldLines({ place }: Forecast): readonly string[] {
  const untold = untoldOf(place);
  return untold === 0
    ? []
    : [`  not known: of ${countOf(untold, 'Pod')} no node told what it runs`];
}

/** By reason, with what can be done about it. */
function failedLines({ namespace, failed }: OnboardPlan): readonly string[] {
  const byCode = Map.groupBy(failed, ({ error }): PinErrorCode => error?.code ?? 'internal');
  return [...byCode].flatMap(([code, forecasts]) => [
    `${code}: ${actionIn(namespace, code)}`,
    ...forecasts.flatMap((forecast) => [
      `  ${nameOf(forecast)}: ${forecast.error?.message}`,
      ...forecast.moves.map((move) => `  ${moveLine(move)}`),
    ]),
  ]);
}

/** More of them are counted. */
const MAX_NAMES = 5;

function moveLine({ digest, pods, names, served }: Move): string {
  const shown = names.slice(0, MAX_NAMES).join(', ');
  const more = pods > MAX_NAMES ? ` and ${pods - MAX_NAMES} more` : '';
  const run = pods === 1 ? 'runs' : 'run';
  return `  moved: ${countOf(pods, 'Pod')} (${shown}${more}) ${run} ${digest}, ${SERVED.get(served)}`;
}

const SERVED: ReadonlyMap<boolean | undefined, string> = new Map([
  [true, 'which the registry has still'],
  [false, 'which is gone: a lost node cannot bring it back'],
  [undefined, 'of which the registry did not tell whether it has it still'],
]);

function flagLines({ flags }: OnboardPlan): readonly string[] {
  return flags === undefined ? [] : [`tagpin serve ${flags}`];
}

function ownerLines({ reference, leftAlone, outlooks, specs }: Owner): readonly string[] {
  const { kind, name, apiVersion } = reference;
  const what = leftAlone
    ? 'its Pods are left alone (--skip-owner), and "enforce" refuses them until their images have digests'
    : 'its Pods are pinned by themselves; where it compares their images, and makes anew what differs, write the digests there first';
  return [
    `${kind}/${name} (${apiVersion}): ${what}`,
    ...outlooks.map(
      (outlook) =>
        `  ${outlook.place.label}: ${outlook.place.image} -> ${outlook.pinned ?? outlook.error?.message ?? 'nothing'}`,
    ),
    ...specs.flatMap((spec) => specLines(spec).map((line) => `  ${line}`)),
  ];
}

function specLines({ reference, paths, problem }: OwnerSpec): readonly string[] {
  const who = `${reference.kind}/${reference.name}`;
  if (problem !== undefined) return [`${who} was not read: ${problem}`];
  if (paths.size === 0) return [`${who} does not name the image: whatever acts on it chooses it`];
  return [...paths].flatMap(([image, found]) =>
    found.map(({ path, tagPath }) =>
      tagPath === undefined
        ? `${who} has ${image} at ${path}`
        : `${who} has the repository of ${image} at ${path}, its tag at ${tagPath}`,
    ),
  );
}

function nameOf({ place: { workload, label, image } }: Pick<Outlook, 'place'>): string {
  return `${workload.kind}/${workload.name} ${label}: ${image}`;
}

function countOf(count: number, noun: string): string {
  return `${count} ${noun}${count === 1 ? '' : 's'}`;
}
