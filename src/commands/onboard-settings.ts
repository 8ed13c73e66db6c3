import { SERVE_SETTINGS, type ServeSettings } from '../config.ts';
import { CREDENTIAL_SETTINGS, type CredentialSettings } from '../settings/credential-settings.ts';
import { REGISTRY_SETTINGS, type RegistrySettings } from '../settings/registry-settings.ts';
import type { Settings } from '../settings/setting.ts';
import { EXPLAIN_SETTINGS, type ExplainSettings } from './explain-settings.ts';

/** What `tagpin onboard` is told: what the webhook is, and where its cluster is. */
export interface OnboardSettings
  extends RegistrySettings,
    CredentialSettings,
    Pick<ExplainSettings, 'kubeconfig' | 'context'>,
    Pick<
      ServeSettings,
      'allowSkipInEnforce' | 'extraKind' | 'referenceForm' | 'refreshPolicy' | 'skip' | 'skipOwner'
    > {}

export const ONBOARD_SETTINGS: Settings<OnboardSettings> = {
  kubeconfig: EXPLAIN_SETTINGS.kubeconfig,
  context: EXPLAIN_SETTINGS.context,
  ...REGISTRY_SETTINGS,
  ...CREDENTIAL_SETTINGS,
  referenceForm: SERVE_SETTINGS.referenceForm,
  skip: SERVE_SETTINGS.skip,
  allowSkipInEnforce: SERVE_SETTINGS.allowSkipInEnforce,
  skipOwner: SERVE_SETTINGS.skipOwner,
  extraKind: SERVE_SETTINGS.extraKind,
  refreshPolicy: SERVE_SETTINGS.refreshPolicy,
};
