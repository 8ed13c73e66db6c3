import { readReference } from '../image/read-reference.ts';
import { spelledName } from '../image/reference.ts';
import { isJsonObject, type JsonObject } from '../json.ts';

/** Where an image stands in somebody's object. */
export interface ImagePath {
  /** As JSONPath has it, without the `$.`: `spec.instances[0].image`. */
  readonly path: string;
  /** Where its tag stands, where the first path holds the repository alone. */
  readonly tagPath?: string;
}

interface Node {
  readonly value: unknown;
  readonly path: string;
  readonly depth: number;
}

/** What others write, and nobody edits. */
const NOT_THE_SPEC: ReadonlySet<string> = new Set(['metadata', 'status']);
/** Far more than an object that the API server stores in a megabyte or two. */
const MAX_NODES = 200_000;
const MAX_DEPTH = 64;
const MAX_PATHS = 20;

/** Every place in an object, outside of its metadata and its status, at which an image stands. */
export function imagePathsIn(object: JsonObject, image: string): readonly ImagePath[] {
  const spec = Object.entries(object).filter(([key]) => !NOT_THE_SPEC.has(key));
  const nodes: Node[] = [{ value: Object.fromEntries(spec), path: '', depth: 0 }];
  const found: ImagePath[] = [];
  for (let count = 0; count < MAX_NODES && found.length < MAX_PATHS; count += 1) {
    const node = nodes.pop();
    if (node === undefined) break;
    if (node.value === image) found.push({ path: node.path });
    if (typeof node.value !== 'object' || node.value === null || node.depth === MAX_DEPTH) continue;
    const parts = isJsonObject(node.value) ? inParts(node.value, node.path, image) : undefined;
    if (parts !== undefined) found.push(parts);
    // Not spread: there may be more of them than a call has arguments.
    for (const child of childrenOf(node).toReversed()) nodes.push(child);
  }
  return found;
}

function childrenOf({ value, path, depth }: Node): Node[] {
  const isList = Array.isArray(value);
  return Object.entries(value ?? {}).map(([key, child]) => ({
    value: child,
    path: isList ? `${path}[${key}]` : below(path, key),
    depth: depth + 1,
  }));
}

/** A field with the repository beside one with the tag, as `repository` and `tag` of many charts. */
function inParts(object: JsonObject, path: string, image: string): ImagePath | undefined {
  const tag = readReference(image)?.tag;
  if (tag === undefined) return undefined;
  const name = spelledName(image);
  const texts = Object.entries(object);
  const tagged = texts.find(([, value]) => value === tag);
  const named = texts.find(([, value]) => typeof value === 'string' && isRepository(value, name));
  if (tagged === undefined || named === undefined || tagged === named) return undefined;
  return { path: below(path, named[0]), tagPath: below(path, tagged[0]) };
}

/** The registry may stand in a field of its own. */
function isRepository(text: string, name: string): boolean {
  return text === name || (text.includes('/') && name.endsWith(`/${text}`));
}

function below(path: string, key: string): string {
  if (!/^[A-Za-z_][\w-]*$/.test(key)) return `${path}[${JSON.stringify(key)}]`;
  return path === '' ? key : `${path}.${key}`;
}
