import { globSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseAllDocuments } from 'yaml';

/** As much of a Role or ClusterRole as is read here. */
export interface Role {
  readonly kind: string;
  readonly metadata: { readonly name: string };
  readonly rules: readonly {
    readonly apiGroups: readonly string[];
    readonly resources: readonly string[];
    readonly resourceNames?: readonly string[];
    readonly verbs: readonly string[];
  }[];
}

/** What is asked for, or may be: `get secrets`. Of one object it has the name, where a right has that. */
export interface Right {
  readonly verb: string;
  readonly group: string;
  readonly resource: string;
  readonly name: string;
}

/** `patch secrets tagpin-certificates`, `list deployments.apps`. */
export function textOfRight({ verb, group, resource, name }: Right): string {
  return `${verb} ${resource}${group === '' ? '' : `.${group}`}${name === '' ? '' : ` ${name}`}`;
}

/** Each right of some roles, once, in the order of the alphabet. */
export function rightsOf(roles: readonly Role[]): readonly string[] {
  const rights = roles.flatMap(({ rules }) =>
    rules.flatMap(({ apiGroups, resources, resourceNames = [''], verbs }) =>
      apiGroups.flatMap((group) =>
        resources.flatMap((resource) =>
          resourceNames.flatMap((name) =>
            verbs.map((verb) => textOfRight({ verb, group, resource, name })),
          ),
        ),
      ),
    ),
  );
  return [...new Set(rights)].toSorted();
}

/** All that any manifest of kustomize lets tagpin do. */
export function rightsOfManifests(): readonly string[] {
  const cwd = join(import.meta.dirname, '..', '..', 'manifests', 'kustomize');
  const documents = globSync('{base,components}/**/*.yaml', { cwd }).flatMap((file) =>
    parseAllDocuments(readFileSync(join(cwd, file), 'utf8')),
  );
  const objects = documents.map((document) => document.toJS() as Role);
  return rightsOf(objects.filter(({ kind }) => kind === 'Role' || kind === 'ClusterRole'));
}
