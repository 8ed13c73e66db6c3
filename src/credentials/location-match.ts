import { type Location, parseLocation } from './location.ts';

/** A location taken apart for comparison. */
export interface Target {
  readonly labels: readonly string[];
  readonly port: string;
  readonly path: string;
}

/** Undefined for what is no location: nothing matches it, and it matches nothing. */
export function toTarget(text: string): Target | undefined {
  const location = parseLocation(text);
  if (location === undefined) return undefined;
  const [, name = '', port = ''] = splitPort(location);
  return { labels: name.split('.'), port, path: location.path };
}

/** Only a port takes the brackets off an IPv6 address: so Go's net.SplitHostPort. */
function splitPort({ host }: Location): readonly string[] {
  return /^\[(.*)\]:([0-9]*)$/.exec(host) ?? /^([^:]*):([0-9]*)$/.exec(host) ?? ['', host];
}

/**
 * Whether a location with globs in its host covers an image's, as kubelet says (kubernetes/kubernetes
 * pkg/credentialprovider/keyring.go, URLsMatch): of keys of docker configs, of what plugins answer
 * with, and of the images that these are for.
 */
export function matchesTarget(glob: Target, image: Target): boolean {
  return (
    glob.port === image.port &&
    glob.labels.length === image.labels.length &&
    // Text, not path elements: "/pong" matches "/pongz".
    image.path.startsWith(glob.path) &&
    glob.labels.every((label, index) => matchesLabel(label, image.labels[index] ?? ''))
  );
}

/**
 * `*` stands for any text within one label. Linear in time: each part is looked for once. Brackets
 * that no port took off are a set of characters to Go's filepath.Match, and no address matches it.
 */
function matchesLabel(glob: string, label: string): boolean {
  if (glob.startsWith('[')) return false;
  const [first = '', ...rest] = glob.split('*');
  const last = rest.pop();
  if (last === undefined) return glob === label;
  if (!label.startsWith(first)) return false;
  let position = first.length;
  for (const part of rest) {
    const found = label.indexOf(part, position);
    if (found === -1) return false;
    position = found + part.length;
  }
  return label.length - last.length >= position && label.endsWith(last);
}
