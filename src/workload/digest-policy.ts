import { isJsonObject, type JsonObject, objectIn } from '../json.ts';

/** A container whose image the policy refuses. */
export interface Violation {
  readonly message: string;
  /** From the object to the image. */
  readonly path: readonly string[];
}

/** The lists that the policy looks at, with the nouns of its messages. */
export const POLICY_LISTS: ReadonlyMap<string, string> = new Map([
  ['containers', 'container'],
  ['initContainers', 'initContainer'],
  ['ephemeralContainers', 'ephemeralContainer'],
]);

/**
 * What K8sImageDigests 1.0.1 takes for a digest: anywhere in the text, of any algorithm and length
 * (gatekeeper-library src/general/imagedigests).
 */
const POLICY_DIGEST = /@[a-z0-9]+([+._-][a-z0-9]+)*:[a-zA-Z0-9=_-]+/;

/** Far more than a reference may have; the pattern overflows the stack with megabytes. */
const MAX_IMAGE_CHARS = 4096;

/** Tells whether the policy is content with an image. */
export function passesPolicy(image: string): boolean {
  return image.length <= MAX_IMAGE_CHARS && POLICY_DIGEST.test(image);
}

/** The message of the policy, word for word: tools look for it. */
export function policyMessage(noun: string, name: string, image: string): string {
  return `${noun} <${name}> uses an image without a digest <${image}>`;
}

/**
 * The verdicts of K8sImageDigests 1.0.1 on an object of any kind. It looks at the containers of its
 * `spec`, as a Pod has them, and says the same thing once. A container without an image, or without
 * a name, makes no message.
 */
export function policyViolations(
  object: JsonObject,
  isExempt: (image: string) => boolean,
): readonly Violation[] {
  const violations = new Map<string, Violation>();
  for (const [list, noun] of POLICY_LISTS) {
    for (const [key, container] of membersOf(objectIn(object, 'spec')?.[list])) {
      if (!isJsonObject(container)) continue;
      const { name, image } = container;
      if (name === undefined || image === undefined) continue;
      if (typeof image === 'string' && (isExempt(image) || passesPolicy(image))) continue;
      const message = policyMessage(noun, printed(name), printed(image));
      if (violations.has(message)) continue;
      violations.set(message, { message, path: ['spec', list, key, 'image'] });
    }
  }
  return [...violations.values()];
}

/** Rego goes through the values of an object as it goes through a list. */
function membersOf(value: unknown): readonly (readonly [string, unknown])[] {
  return typeof value === 'object' && value !== null ? Object.entries(value) : [];
}

/** A value as `%v` of Rego prints it: text bare, anything else as JSON. */
function printed(value: unknown): string {
  return typeof value === 'string' ? value : jsonWithSpaces(value);
}

/** No image and no name is one; a stranger may nest values until a stack overflows. */
const MAX_DEPTH = 100;

function jsonWithSpaces(value: unknown, depth: number = 0): string {
  if (depth > MAX_DEPTH) return '…';
  const inner = (member: unknown): string => jsonWithSpaces(member, depth + 1);
  if (Array.isArray(value)) return `[${value.map(inner).join(', ')}]`;
  if (!isJsonObject(value)) return JSON.stringify(value);
  const members = Object.entries(value).toSorted(([one], [other]) => (one < other ? -1 : 1));
  return `{${members.map(([key, member]) => `${JSON.stringify(key)}: ${inner(member)}`).join(', ')}}`;
}

/** `exemptImages` of the policy: equal, or a prefix before one `*` at the end; nothing normalised. */
export function exemptionOf(patterns: readonly string[]): (image: string) => boolean {
  return (image) =>
    patterns.some((pattern) =>
      pattern.endsWith('*') ? image.startsWith(pattern.slice(0, -1)) : image === pattern,
    );
}
