import { type Cloud, CREDENTIAL_SETTINGS } from '../settings/credential-settings.ts';
import { REGISTRY_SETTINGS, type RegistrySettings } from '../settings/registry-settings.ts';
import type { Settings } from '../settings/setting.ts';
import { choicesOf } from '../settings/values.ts';

/** What the command line asks registries with. */
export interface CommandLineSettings
  extends Pick<
    RegistrySettings,
    'plainHttp' | 'allowAddress' | 'registryCa' | 'hostsDir' | 'registriesConf'
  > {
  readonly dockerConfig: string | undefined;
  /** Where credentials are looked for beside docker's configuration. */
  readonly credentials: readonly (Cloud | 'exec')[];
  readonly imageCredentialProviderConfig: string | undefined;
  readonly imageCredentialProviderBinDir: string | undefined;
}

export const COMMAND_LINE_SETTINGS: Settings<CommandLineSettings> = {
  plainHttp: {
    ...REGISTRY_SETTINGS.plainHttp,
    text: 'Registries (with * for any text) that speak http without TLS; without a port, port 80. So do all on loopback that --registry-ca does not name.',
  },
  allowAddress: {
    ...REGISTRY_SETTINGS.allowAddress,
    text: 'Allowed addresses, as with serve. Here all but those of metadata services and link-local ones are allowed anyway.',
  },
  registryCa: REGISTRY_SETTINGS.registryCa,
  hostsDir: REGISTRY_SETTINGS.hostsDir,
  registriesConf: REGISTRY_SETTINGS.registriesConf,
  dockerConfig: {
    ...CREDENTIAL_SETTINGS.dockerConfig,
    text: "A docker config.json with credentials: auths, credHelpers and credsStore. Without it docker's own, $DOCKER_CONFIG/config.json or ~/.docker/config.json, and behind it podman's: $REGISTRY_AUTH_FILE, or containers/auth.json in $XDG_RUNTIME_DIR and in ~/.config.",
  },
  credentials: {
    flag: '--credentials SOURCES',
    fallback: '',
    text: 'Where else to look for credentials: "google", "aws", "azure" (the identity that you have there), "exec" (a kubelet\'s plugins).',
    parse: choicesOf<Cloud | 'exec'>('google', 'aws', 'azure', 'exec'),
  },
  imageCredentialProviderConfig: {
    ...CREDENTIAL_SETTINGS.imageCredentialProviderConfig,
    text: "With --credentials exec: a kubelet's CredentialProviderConfig, or a directory of them.",
  },
  imageCredentialProviderBinDir: {
    ...CREDENTIAL_SETTINGS.imageCredentialProviderBinDir,
    text: 'With --credentials exec: where the programs of these plugins are.',
  },
};
