/** The host of an origin, as a socket and a certificate have it: an IPv6 address without brackets. */
export function hostOf(origin: string): string {
  return new URL(origin).hostname.replace(/^\[(.*)\]$/, '$1');
}
