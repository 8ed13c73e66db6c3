import { isIPv4 } from 'node:net';

import { compileGlobs } from '../image/glob.ts';

/** One that can match addresses: anybody may own a name that begins like them. */
const ADDRESS_GLOB = /^[\d.]*\d[\d.]*\*[\d.*]*$/;

/**
 * Reads globs of `HOST[:PORT]`, with the port that stands for none. What begins as an address,
 * `10.1.2.*`, matches addresses alone, and not `10.1.2.example.com`.
 */
export function hostsOf(globs: readonly string[], port: number): (url: URL) => boolean {
  const all = globs.map((glob) => withPort(glob, port));
  const matches = compileGlobs(all.filter((glob) => !isAddressGlob(glob)));
  const matchesAddress = compileGlobs(all.filter(isAddressGlob));
  return (url) => {
    const text = `${url.hostname}:${portOf(url)}`;
    return matches(text) || (isIPv4(url.hostname) && matchesAddress(text));
  };
}

/** The same of a list that is another one once it has changed. */
export function changingHostsOf(
  globsOf: () => readonly string[],
  port: number,
): (url: URL) => boolean {
  let globs = globsOf();
  let matches = hostsOf(globs, port);
  return (url) => {
    const now = globsOf();
    if (now !== globs) {
      globs = now;
      matches = hostsOf(now, port);
    }
    return matches(url);
  };
}

function isAddressGlob(glob: string): boolean {
  return ADDRESS_GLOB.test(glob.slice(0, glob.lastIndexOf(':')));
}

function withPort(host: string, port: number): string {
  const text = host.toLowerCase();
  return /:(\d+|\*)$/.test(text) ? text : `${text}:${port}`;
}

function portOf(url: URL): string {
  return url.port || (url.protocol === 'http:' ? '80' : '443');
}
