import { isJsonObject, type JsonObject, listOf, objectAt, textOf } from '../json.ts';
import { containerOf, servedSettings } from './served-settings.ts';

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
  const { settings } = servedSettings(deployment);
  const isBuiltIn = settings.certificates === 'built-in';
  return {
    readsCluster: settings.cluster,
    siblingPins: settings.siblingPins,
    events: settings.events,
    audits: settings.auditEvery > 0,
    explains: settings.explainInDryRun,
    builtIn: isBuiltIn ? settings.certificateSecret : undefined,
    mounted: isBuiltIn ? undefined : mountedIn(spec, namespace),
    serviceAccount: textOf(spec, 'serviceAccountName') ?? 'tagpin',
    seen: containerOf(deployment) !== undefined,
  };
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
