/** Far more names than a pod spec has containers; what is longer counts as absent. */
const MAX_SKIP_CHARS = 64 * 1024;

/**
 * Reads the annotation `tagpin.dev/skip` once for all containers: the answer tells by the key of an
 * image whether it is to be left alone.
 */
export function parseSkip(annotation: unknown): (key: string) => boolean {
  if (typeof annotation !== 'string' || annotation.length > MAX_SKIP_CHARS) return () => false;
  const text = annotation.trim();
  if (text === 'true') return () => true;
  const names = new Set(text.split(',').map((name) => name.trim()));
  names.delete('');
  return (key) => names.has(key);
}
