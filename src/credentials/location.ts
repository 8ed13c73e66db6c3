import { isIPv6 } from 'node:net';

/** Where credentials apply, or an image lies: a host with its port, and a path that may be empty. */
export interface Location {
  /** May hold `*`, and brackets around an IPv6 address. */
  readonly host: string;
  /** Decoded; empty, or with a leading slash. */
  readonly path: string;
}

const CONTROL_CHARACTER = /[^ -~\u0080-\u{10ffff}]/u;
const BAD_ESCAPE = /%(?![0-9a-fA-F]{2})/;
const USER_INFO = /^[A-Za-z0-9\-._:~!$&'()*+,;=%@]*$/;
const OPTIONAL_PORT = /^(?::[0-9]*)?$/;

/**
 * Reads text without a scheme as Go 1.26's `url.Parse("https://" + text)` does, which kubelet reads
 * the keys of docker configs and image names with. Undefined where that fails, and for some text
 * that it accepts but that no image name can match, such as a path that is not UTF-8.
 */
export function parseLocation(text: string): Location | undefined {
  const [beforeFragment, fragment] = cut(text, '#');
  if (CONTROL_CHARACTER.test(beforeFragment) || BAD_ESCAPE.test(fragment)) return undefined;
  const [beforeQuery] = cut(beforeFragment, '?');
  const [authority] = cut(beforeQuery, '/');
  const at = authority.lastIndexOf('@');
  const userInfo = authority.slice(0, Math.max(at, 0));
  const host = authority.slice(at + 1);
  if (!USER_INFO.test(userInfo) || BAD_ESCAPE.test(userInfo) || !isHost(host)) return undefined;
  const path = decodePath(beforeQuery.slice(authority.length));
  return path === undefined ? undefined : { host, path };
}

/** `text` before and behind the first `separator`; all of it and nothing where there is none. */
function cut(text: string, separator: string): [string, string] {
  const index = text.indexOf(separator);
  return index === -1 ? [text, ''] : [text.slice(0, index), text.slice(index + 1)];
}

/**
 * Brackets hold an IPv6 address and stand at the start, and a colon begins the port. So of the
 * meta-characters of a glob, `*` alone can stand in a host: `[` cannot, and `?` begins a query.
 */
function isHost(host: string): boolean {
  if (host.startsWith('[')) {
    const close = host.lastIndexOf(']');
    return isIPv6(host.slice(1, close)) && OPTIONAL_PORT.test(host.slice(close + 1));
  }
  if (host.includes('[')) return false;
  const colon = host.indexOf(':');
  return colon === -1 || OPTIONAL_PORT.test(host.slice(colon));
}

function decodePath(path: string): string | undefined {
  try {
    return decodeURIComponent(path);
  } catch {
    return undefined;
  }
}
