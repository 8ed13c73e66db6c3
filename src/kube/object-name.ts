/** A DNS-1123 subdomain, as Kubernetes has names (RFC 1123). */
const NAME = /^[a-z0-9](?:[-a-z0-9]*[a-z0-9])?(?:\.[a-z0-9](?:[-a-z0-9]*[a-z0-9])?)*$/;
const MAX_NAME_CHARS = 253;

/**
 * Whether a text that somebody wrote may be the name of an object: anything else, such as `..`, names
 * no object but another path.
 */
export function isName(text: string): boolean {
  return text.length <= MAX_NAME_CHARS && NAME.test(text);
}
