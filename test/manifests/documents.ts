import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parse } from 'yaml';

const KUSTOMIZE = join(import.meta.dirname, '..', '..', 'manifests', 'kustomize');

/** The one document of a manifest file, by its path below manifests/kustomize. */
export function readDocument(path: string): unknown {
  return parse(readText(path));
}

/** The text of a manifest file, comments and all. */
export function readText(path: string): string {
  return readFileSync(join(KUSTOMIZE, path), 'utf8');
}
