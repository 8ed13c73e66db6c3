import { SERVE_SETTINGS, type ServeSettings } from '../config.ts';
import { CREDENTIAL_SETTINGS, type CredentialSettings } from '../settings/credential-settings.ts';
import { REGISTRY_SETTINGS, type RegistrySettings } from '../settings/registry-settings.ts';
import type { Settings } from '../settings/setting.ts';
import { parseBoolean, parseList, parseText } from '../settings/values.ts';
import { EXPLAIN_SETTINGS, type ExplainSettings } from './explain-settings.ts';

/** What `tagpin doctor` is told: where tagpin is, and how registries are asked. */
export interface DoctorSettings
  extends RegistrySettings,
    CredentialSettings,
    Pick<ExplainSettings, 'kubeconfig' | 'context'>,
    Pick<ServeSettings, 'webhookConfiguration'> {
  readonly inCluster: boolean;
  readonly installedIn: string;
  readonly namespaces: readonly string[];
}

export const DOCTOR_SETTINGS: Settings<DoctorSettings> = {
  kubeconfig: EXPLAIN_SETTINGS.kubeconfig,
  context: EXPLAIN_SETTINGS.context,
  inCluster: {
    flag: '--in-cluster',
    fallback: 'false',
    text: "In tagpin's own Pod: ask as its ServiceAccount, and registries from its network.",
    parse: parseBoolean,
  },
  installedIn: {
    flag: '--installed-in NAMESPACE',
    fallback: 'tagpin-system',
    text: 'The namespace of tagpin.',
    parse: parseText,
  },
  namespaces: {
    flag: '--namespaces NAMES',
    fallback: '',
    text: 'The namespaces to try a Pod in, and whose registries to ask; without it ten that are opted in.',
    parse: parseList,
  },
  webhookConfiguration: {
    ...SERVE_SETTINGS.webhookConfiguration,
    text: 'The name of the webhook configuration that calls tagpin.',
  },
  ...REGISTRY_SETTINGS,
  ...CREDENTIAL_SETTINGS,
};
