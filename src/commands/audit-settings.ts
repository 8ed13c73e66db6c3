import { CREDENTIAL_SETTINGS, type CredentialSettings } from '../settings/credential-settings.ts';
import { REGISTRY_SETTINGS, type RegistrySettings } from '../settings/registry-settings.ts';
import type { Settings } from '../settings/setting.ts';
import { EXPLAIN_SETTINGS, type ExplainSettings } from './explain-settings.ts';

/** What `tagpin audit` is told: how the webhook asks registries, and where its cluster is. */
export interface AuditSettings
  extends RegistrySettings,
    CredentialSettings,
    Pick<ExplainSettings, 'kubeconfig' | 'context'> {}

export const AUDIT_SETTINGS: Settings<AuditSettings> = {
  kubeconfig: EXPLAIN_SETTINGS.kubeconfig,
  context: EXPLAIN_SETTINGS.context,
  ...REGISTRY_SETTINGS,
  ...CREDENTIAL_SETTINGS,
  dockerConfig: {
    ...CREDENTIAL_SETTINGS.dockerConfig,
    text: "A docker config.json with credentials. Without this flag docker's own: $DOCKER_CONFIG/config.json, or ~/.docker/config.json.",
  },
};
