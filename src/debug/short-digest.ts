const HEX_CHARS = 12;

/** As many characters as a person compares: `sha256:9f4b1c2d3e4f…`. */
export function shortDigest(digest: string): string {
  const end = digest.indexOf(':') + 1 + HEX_CHARS;
  return digest.length > end ? `${digest.slice(0, end)}…` : digest;
}
