import { PinError } from '../errors.ts';
import { quoted } from './printable.ts';

/** A reference with its name normalised: `nginx` is `docker.io` and `library/nginx`. */
export interface ImageReference {
  /** Host and port as the user wrote them; `docker.io` when none is written. */
  readonly registry: string;
  readonly repository: string;
  /** Absent when none is written: nothing is filled in. */
  readonly tag?: string;
  /** Algorithm and hexadecimal digits, of the length the algorithm asks for. */
  readonly digest?: string;
}

/** How a pin is written: `repo@digest` or `repo:tag@digest`. */
export type ReferenceForm = 'digest' | 'tag-and-digest';

/** The three parts of a reference in the user's own spelling. */
interface Spelling {
  readonly name: string;
  readonly tag: string | undefined;
  readonly digest: string | undefined;
}

// Grammar and limits of github.com/distribution/reference (regexp.go, reference.go), which kubelet
// and containerd read references with.
const LABEL = '[a-zA-Z0-9](?:[a-zA-Z0-9-]*[a-zA-Z0-9])?';
const HOST = new RegExp(`^(?:${LABEL}(?:\\.${LABEL})*|\\[[a-fA-F0-9:]+\\])(?::[0-9]+)?$`);
const PATH_COMPONENT = '[a-z0-9]+(?:(?:[._]|__|-+)[a-z0-9]+)*';
const PATH = new RegExp(`^${PATH_COMPONENT}(?:/${PATH_COMPONENT})*$`);
const TAG = /^[a-zA-Z0-9_][a-zA-Z0-9_.-]{0,127}$/;
// Wider than what tagpin writes: kubelet links sha384 too, and runs an image that is named so.
const DIGEST = /^(?:sha256:[0-9a-f]{64}|sha384:[0-9a-f]{96}|sha512:[0-9a-f]{128})$/;
const IDENTIFIER = /^[a-f0-9]{64}$/;

const MAX_PATH_CHARS = 255;
// A DNS name has at most 253 characters (RFC 1035 section 2.3.4), and a port five.
const MAX_HOST_CHARS = 259;
// The longest host, path, tag and digest together stay below 800 characters. Longer text is
// refused before it meets a regular expression: V8's are not linear in time.
const MAX_REFERENCE_CHARS = 1024;
const MAX_QUOTED_CHARS = 256;

const HUB = 'docker.io';
const HUB_ALIAS = 'index.docker.io';

/** About 1 MB of them at most: each is 1,024 characters long at most, and most have 60. */
const MAX_KNOWN = 1000;

/** References that were read, by their text; emptied when it is full, which costs a parse each. */
const known = new Map<string, ImageReference>();

/** Names of known references, which every look-up asks for several times. */
const names = new WeakMap<ImageReference, string>();

/**
 * Reads a reference as the `image` field of a container holds it, and normalises its name. A text
 * that was read before gives the same object again: a cluster has few images, and many reviews.
 *
 * @throws PinError `invalid_reference`
 */
export function parseReference(text: string): ImageReference {
  const seen = known.get(text);
  if (seen !== undefined) return seen;
  const reference = parse(text);
  if (known.size >= MAX_KNOWN) known.clear();
  known.set(text, reference);
  names.set(reference, nameOf(reference));
  return reference;
}

function parse(text: string): ImageReference {
  if (text === '') throw refusal(text, 'it is empty');
  if (text.length > MAX_REFERENCE_CHARS) {
    throw refusal(text, `it is longer than ${MAX_REFERENCE_CHARS} characters`);
  }
  if (IDENTIFIER.test(text)) {
    throw refusal(text, '64 hexadecimal digits name a local image, not a repository');
  }
  const { name, tag, digest } = splitSpelling(text);
  const { registry, repository } = normalize(name);
  const fault = nameFault(registry, repository) ?? suffixFault(tag, digest);
  if (fault !== undefined) throw refusal(text, fault);
  return {
    registry,
    repository,
    ...(tag !== undefined && { tag }),
    ...(digest !== undefined && { digest }),
  };
}

/**
 * Writes `digest` into a reference that was read before. The repository keeps the user's own
 * spelling; the tag is dropped or kept, never added; a digest that was there is replaced.
 */
export function withDigest(text: string, digest: string, form: ReferenceForm): string {
  const { name, tag } = splitSpelling(text);
  const keptTag = form === 'tag-and-digest' && tag !== undefined ? `:${tag}` : '';
  return `${name}${keptTag}@${digest}`;
}

/** Tells whether `text` is a tag as registries take it. */
export function isTag(text: string): boolean {
  return TAG.test(text);
}

/** The repository of a reference that was read before, in the user's own spelling: `nginx`. */
export function spelledName(text: string): string {
  return splitSpelling(text).name;
}

/** Host and repository without tag or digest: `docker.io/library/nginx`. */
export function normalizedName(reference: ImageReference): string {
  return names.get(reference) ?? nameOf(reference);
}

function nameOf({ registry, repository }: ImageReference): string {
  return `${registry}/${repository}`;
}

/** The tag a runtime pulls when no digest is given: the one written, or `latest`. */
export function normalizedTag(reference: ImageReference): string {
  return reference.tag ?? 'latest';
}

/** Whether a reference that was read before names no registry: `nginx`, `team/app`. */
export function isShortName(text: string): boolean {
  return hostOf(splitSpelling(text).name) === undefined;
}

/**
 * Neither a path nor a tag holds `@`, and a tag holds no `/`: so the first `@` begins the digest,
 * and only a `:` behind the last `/` begins a tag; any other belongs to a port or an IPv6 host.
 */
function splitSpelling(text: string): Spelling {
  const at = text.indexOf('@');
  const named = at === -1 ? text : text.slice(0, at);
  const colon = named.indexOf(':', named.lastIndexOf('/') + 1);
  return {
    name: colon === -1 ? named : named.slice(0, colon),
    tag: colon === -1 ? undefined : named.slice(colon + 1),
    digest: at === -1 ? undefined : text.slice(at + 1),
  };
}

/**
 * The rules of splitDockerDomain in distribution/reference normalize.go: a first element is a host
 * when it looks like one, or holds a capital, which no path may.
 */
function hostOf(name: string): string | undefined {
  const slash = name.indexOf('/');
  if (slash === -1) return undefined;
  const first = name.slice(0, slash);
  const isHost = first === 'localhost' || /[.:]/.test(first) || first.toLowerCase() !== first;
  return isHost ? first : undefined;
}

function normalize(name: string): { registry: string; repository: string } {
  const host = hostOf(name);
  const path = host === undefined ? name : name.slice(host.length + 1);
  if (host !== undefined && host !== HUB && host !== HUB_ALIAS) {
    return { registry: host, repository: path };
  }
  return { registry: HUB, repository: path.includes('/') ? path : `library/${path}` };
}

/** Of a URL, or of a transport of skopeo, which is no part of a reference. */
const SCHEME = /^[a-z][a-z-]{0,30}:$/;

function nameFault(registry: string, repository: string): string | undefined {
  const isHost = HOST.test(registry);
  // Upstream takes a first element with an underscore for a part of the path of a name without a
  // host, and runtimes ask it as a host nevertheless.
  if (!isHost && !PATH.test(registry)) {
    const isUrl = SCHEME.test(registry) && repository.startsWith('/');
    return isUrl ? `leave out ${registry}//` : 'the host is malformed';
  }
  if (registry.length > MAX_HOST_CHARS) return 'the host is too long';
  const path = isHost ? repository : `${registry}/${repository}`;
  if (path.length > MAX_PATH_CHARS) {
    return `the repository is longer than ${MAX_PATH_CHARS} characters`;
  }
  if (PATH.test(repository)) return undefined;
  return PATH.test(repository.toLowerCase())
    ? 'the repository must be lower case'
    : 'the repository is malformed';
}

function suffixFault(tag: string | undefined, digest: string | undefined): string | undefined {
  if (tag !== undefined && !TAG.test(tag)) return 'the tag is malformed';
  if (digest !== undefined && !DIGEST.test(digest)) return 'the digest is malformed';
  return undefined;
}

function refusal(text: string, fault: string): PinError {
  return new PinError(
    'invalid_reference',
    `Cannot read image reference ${quoted(text, MAX_QUOTED_CHARS)}: ${fault}`,
  );
}
