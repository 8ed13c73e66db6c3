import { SERVE_SETTINGS, type ServeSettings } from '../config.ts';
import { CREDENTIAL_SETTINGS, type CredentialSettings } from '../settings/credential-settings.ts';
import { REGISTRY_SETTINGS, type RegistrySettings } from '../settings/registry-settings.ts';
import type { Settings } from '../settings/setting.ts';
import { parseText } from '../settings/values.ts';

/** What `tagpin explain` is told: how the webhook asks registries, and where its cluster is. */
export interface ExplainSettings
  extends RegistrySettings,
    CredentialSettings,
    Pick<ServeSettings, 'kubeconfig' | 'skip' | 'referenceForm'> {
  readonly context: string | undefined;
}

export const EXPLAIN_SETTINGS: Settings<ExplainSettings> = {
  kubeconfig: {
    ...SERVE_SETTINGS.kubeconfig,
    text: 'How to reach the API server; without it as kubectl finds it: $KUBECONFIG, or ~/.kube/config.',
  },
  context: {
    flag: '--context NAME',
    fallback: undefined,
    text: 'The context of the kubeconfig, in place of the current one.',
    parse: parseText,
  },
  ...REGISTRY_SETTINGS,
  ...CREDENTIAL_SETTINGS,
  dockerConfig: {
    ...CREDENTIAL_SETTINGS.dockerConfig,
    text: "A docker config.json with tagpin's own credentials. Without a namespace and without this flag docker's own: $DOCKER_CONFIG/config.json, or ~/.docker/config.json.",
  },
  skip: SERVE_SETTINGS.skip,
  referenceForm: SERVE_SETTINGS.referenceForm,
};
