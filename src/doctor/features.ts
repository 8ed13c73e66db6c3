import { isJsonObject, type JsonObject, listOf, objectAt, textOf } from '../json.ts';

/** What of the settings of `tagpin serve` decides about rights and certificates. */
export interface Features {
  readonly readsCluster: boolean;
  readonly siblingPins: boolean;
  readonly events: boolean;
  readonly audits: boolean;
  readonly explains: boolean;
  /** The Secret of built-in certificates; undefined where they are files. */
  readonly builtIn: ObjectName | undefined;
  /** The Secret that is mounted as files; undefined where there is none. */
  readonly mounted: ObjectName | undefined;
  readonly serviceAccount: string;
  /** Whether its settings were seen. */
  readonly seen: boolean;
}

interface ObjectName {
  readonly namespace: string;
  readonly name: string;
}

/** What a Deployment of tagpin is told; what the manifests have by default where there is none. */
export function featuresOf(deployment: JsonObject | undefined, namespace: string): Features {
  const spec = objectAt(deployment, ['spec', 'template', 'spec']);
  const container = containerOf(deployment);
  const settings = settingsOf(container);
  const isOn = (name: string, fallback: string): boolean =>
    (settings.get(name) ?? fallback) === 'true';
  const secret = settings.get('certificate-secret') ?? `${namespace}/tagpin-certificates`;
  const [where = namespace, name = ''] = secret.split('/');
  const isBuiltIn = settings.get('certificates') === 'built-in';
  return {
    // `--no-cluster` is a flag; its variable says `false`.
    readsCluster: !settings.has('no-cluster') && isOn('cluster', 'true'),
    siblingPins: isOn('sibling-pins', 'true'),
    events: isOn('events', 'false'),
    audits: !/^0[a-z]*$/.test(settings.get('audit-every') ?? '0s'),
    explains: isOn('explain-in-dry-run', 'false'),
    builtIn: isBuiltIn ? { namespace: where, name } : undefined,
    mounted: isBuiltIn ? undefined : mountedIn(spec, namespace),
    serviceAccount: textOf(spec, 'serviceAccountName') ?? 'tagpin',
    seen: container !== undefined,
  };
}

/** The settings that a Deployment gives tagpin, as text, by the names of flags. */
export function servedSettings(deployment: JsonObject | undefined): ReadonlyMap<string, string> {
  return settingsOf(containerOf(deployment));
}

function containerOf(deployment: JsonObject | undefined): JsonObject | undefined {
  const spec = objectAt(deployment, ['spec', 'template', 'spec']);
  return spec && listOf(spec, 'containers').find(isJsonObject);
}

/** A flag counts before its variable, as in `setting.ts`. */
function settingsOf(container: JsonObject | undefined): ReadonlyMap<string, string> {
  return container === undefined
    ? new Map()
    : new Map([...variablesIn(container), ...flagsIn(container)]);
}

function variablesIn(container: JsonObject): readonly [string, string][] {
  const variables = listOf(container, 'env').filter(isJsonObject);
  return variables.flatMap((variable): [string, string][] => {
    const [, name] = /^TAGPIN_([A-Z_]+)$/.exec(textOf(variable, 'name') ?? '') ?? [];
    const value = textOf(variable, 'value');
    if (name === undefined || value === undefined) return [];
    return [[name.toLowerCase().replaceAll('_', '-'), value]];
  });
}

/** `--name=value`, `--name value`, and `--name`, which is `true`. */
function flagsIn(container: JsonObject): readonly [string, string][] {
  const words = listOf(container, 'args').filter((word) => typeof word === 'string');
  return words.flatMap((word, index): [string, string][] => {
    const [, name, value] = /^--([a-z-]+)(?:=(.*))?$/s.exec(word) ?? [];
    if (name === undefined) return [];
    const next = words[index + 1] ?? '--';
    return [[name, value ?? (next.startsWith('--') ? 'true' : next)]];
  });
}

function mountedIn(spec: JsonObject | undefined, namespace: string): ObjectName | undefined {
  const names = spec === undefined ? [] : listOf(spec, 'volumes');
  for (const volume of names) {
    const isCertificate = isJsonObject(volume) && volume['name'] === 'certificate';
    const name = isCertificate ? textOf(objectAt(volume, ['secret']), 'secretName') : undefined;
    if (name !== undefined) return { namespace, name };
  }
  return undefined;
}
