import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';

import type { Kubectl } from './kubectl.ts';

/** A schema of the API server's OpenAPI document, as much of it as is read or changed here. */
interface Schema {
  type?: string | string[];
  format?: string;
  properties?: object;
  additionalProperties?: object | false;
  readonly 'x-kubernetes-preserve-unknown-fields'?: boolean;
  readonly 'x-kubernetes-group-version-kind'?: readonly GroupVersionKind[];
}

interface GroupVersionKind {
  readonly group: string;
  readonly version: string;
  readonly kind: string;
}

/**
 * Writes the API server's own schemas where kubeconform finds them, and gives the location to pass
 * to it. They are strict: a field that a schema does not name is a fault.
 */
export async function writeSchemas(
  kubectl: Kubectl,
  directory: string,
  kinds: ReadonlySet<string>,
): Promise<string> {
  const { stdout } = await kubectl.run(['get', '--raw', '/openapi/v2']);
  const { definitions } = JSON.parse(stdout) as { definitions: Record<string, Schema> };
  await mkdir(directory, { recursive: true });
  for (const schema of Object.values(definitions)) makeStrict(schema);
  for (const [name, schema] of Object.entries(definitions)) {
    const wanted = schema['x-kubernetes-group-version-kind']?.filter(({ kind }) => kinds.has(kind));
    for (const kind of wanted ?? []) {
      const document = { $ref: `#/definitions/${name}`, definitions };
      await writeFile(join(directory, fileName(kind)), JSON.stringify(document));
    }
  }
  return join(directory, '{{ .ResourceKind }}{{ .KindSuffix }}.json');
}

function makeStrict(schema: Schema): void {
  if (schema.properties !== undefined && !schema['x-kubernetes-preserve-unknown-fields']) {
    schema.additionalProperties = false;
  }
  // OpenAPI v2 has one type a schema, and says the other one here.
  if (schema.format === 'int-or-string') schema.type = ['string', 'integer'];
}

/** As kubeconform puts it: `networkpolicy-networking-v1.json`, with the group's first word. */
function fileName({ group, version, kind }: GroupVersionKind): string {
  const words = [kind, ...(group === '' ? [] : [group.split('.')[0]]), version];
  return `${words.join('-').toLowerCase()}.json`;
}
