import { compileGlobs } from '../image/glob.ts';

/** Reads globs of `HOST[:PORT]`, with the port that stands for none. */
export function hostsOf(globs: readonly string[], port: number): (url: URL) => boolean {
  const matches = compileGlobs(globs.map((glob) => withPort(glob, port)));
  return (url) => matches(`${url.hostname}:${portOf(url)}`);
}

function withPort(host: string, port: number): string {
  const text = host.toLowerCase();
  return /:(\d+|\*)$/.test(text) ? text : `${text}:${port}`;
}

function portOf(url: URL): string {
  return url.port || (url.protocol === 'http:' ? '80' : '443');
}
